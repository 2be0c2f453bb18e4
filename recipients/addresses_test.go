package recipients_test

import (
	"errors"
	"testing"

	"rappel/recipients"
)

func TestAddressesAnswersAsParseAddress(t *testing.T) {
	t.Parallel()
	var known recipients.Addresses
	for _, remembers := range []*recipients.Addresses{nil, &known, &known} {
		for _, a := range []struct {
			channel     recipients.Channel
			raw, region string
		}{
			{recipients.SMS, "(201) 555-0123", "US"},
			{recipients.SMS, "(201) 555-0123", "DE"},
			{recipients.SMS, "nonsense", "US"},
			{recipients.Email, "ann@Example.com", "US"},
			{recipients.Email, "nonsense", ""},
		} {
			want, wantErr := recipients.ParseAddress(a.channel, a.raw, a.region)
			got, err := remembers.Parse(a.channel, a.raw, a.region)
			if got != want || !errors.Is(err, wantErr) {
				t.Errorf("%s in %q: %v, %v; want %v, %v", a.channel, a.region, got, err, want, wantErr)
			}
		}
	}
}
