package recipients_test

import (
	"testing"

	"rappel/recipients"
)

func TestTheChannelsAreTextAndEmail(t *testing.T) {
	t.Parallel()
	for channel, want := range map[recipients.Channel]bool{
		recipients.SMS: true, recipients.Email: true, "": false, "SMS": false, "voice": false,
	} {
		if got := channel.Valid(); got != want {
			t.Errorf("%q: got %t, want %t", channel, got, want)
		}
	}
}
