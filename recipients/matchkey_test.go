package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestEverySpellingHasOneMatchKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		channel recipients.Channel
		raw     []string
		want    string
	}{
		"phones share their last six digits": {
			recipients.SMS, []string{"+447400123456", "07400 123456", "0044 (7400) 12-34-56", "123456"}, "123456",
		},
		"phones of fewer digits have none": {
			recipients.SMS, []string{"", "12345", "call me", "２０１５５５０１２３"}, "",
		},
		"e-mails lose blanks and case": {
			recipients.Email, []string{"ana@example.com", " Ana@Example.com ", "ANA@EXAMPLE.COM", "ana@example.com\r\n", "\tana@example.com\u00a0"}, "ana@example.com",
		},
		"other channels have none": {"fax", []string{"+12015550123"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, raw := range test.raw {
				if got := recipients.MatchKey(test.channel, raw); got != test.want {
					t.Errorf("%q: got %q, want %q", raw, got, test.want)
				}
			}
		})
	}
}
