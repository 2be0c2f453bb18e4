package recipients_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/recipients"
)

func TestReasonsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	want := []recipients.Reason{
		"flag_off", "no_address", "invalid_address", "opted_out", "do_not_contact", "client_archived",
		"practice_inactive", "method_none", "unsupported_method", "bad_method", "duplicate", "notify_off",
		"not_confirmed", "cancelled", "superseded", "past", "late_booking", "quiet_hours", "bad_template",
		"empty_body", "attempts_exhausted", "refused", "status", "bad_zone",
	}
	if diff := cmp.Diff(want, recipients.Reasons()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
