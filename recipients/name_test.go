package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestANameHasNoStrayBlanks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		client recipients.Client
		want   string
	}{
		"first and last":     {recipients.Client{FirstName: "Ana", LastName: "Lee"}, "Ana Lee"},
		"first alone":        {recipients.Client{FirstName: " Ana "}, "Ana"},
		"last alone":         {recipients.Client{LastName: "Lee"}, "Lee"},
		"neither":            {recipients.Client{}, ""},
		"the preferred name": {recipients.Client{FirstName: "Ana", LastName: "Lee", PreferredName: "Annie"}, "Annie Lee"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.client.Person().Name(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
