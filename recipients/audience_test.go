package recipients_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/recipients"
)

func TestEachKindHasItsFlag(t *testing.T) {
	t.Parallel()
	reminders := []kind.Kind{kind.Reminder, kind.TelehealthLink}
	confirmations := []kind.Kind{
		kind.Booked, kind.Confirmed, kind.Rescheduled, kind.Declined, kind.Cancelled, kind.Missed,
	}
	scheduled := []kind.Kind{kind.Scheduled}
	for _, k := range slices.Concat(reminders, confirmations, scheduled) {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			in := visit()
			in.Kind = k
			in.Client.ReceivesReminders = slices.Contains(reminders, k)
			in.Client.ReceivesConfirmations = slices.Contains(confirmations, k)
			in.Client.ReceivesScheduled = slices.Contains(scheduled, k)
			on, off := mum(), dad()
			on.ReceivesReminders = in.Client.ReceivesReminders
			on.ReceivesConfirmations = in.Client.ReceivesConfirmations
			on.ReceivesScheduled = in.Client.ReceivesScheduled
			off.ReceivesReminders = !in.Client.ReceivesReminders
			off.ReceivesConfirmations = !in.Client.ReceivesConfirmations
			off.ReceivesScheduled = !in.Client.ReceivesScheduled
			in.Contacts = []recipients.Contact{on, off}
			want := []string{
				"notify", "ana by email: ana@example.com",
				"mum by email: mum@example.com", "dad by email: [flag_off]",
			}
			if diff := cmp.Diff(want, verdicts(recipients.Decide(in))); diff != "" {
				t.Errorf("only that flag on (-want +got):\n%s", diff)
			}
			in.Client.ReceivesReminders = off.ReceivesReminders
			in.Client.ReceivesConfirmations = off.ReceivesConfirmations
			in.Client.ReceivesScheduled = off.ReceivesScheduled
			in.Contacts = []recipients.Contact{off}
			want = []string{"silenced", "ana by email: [flag_off]", "dad by email: [flag_off]"}
			if diff := cmp.Diff(want, verdicts(recipients.Decide(in))); diff != "" {
				t.Errorf("all flags but that on (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRightsNeitherCauseNorStopAMessage(t *testing.T) {
	t.Parallel()
	check(t, map[string]rule{
		"all rights do not make up for a flag": {
			func(in *recipients.Input) {
				in.Contacts = []recipients.Contact{{
					ID: "mum", Email: "mum@example.com", CanManageAppointments: true, PortalAccess: true,
					CanMessage: true, CanViewForms: true, CanViewDocuments: true, CanManageBilling: true,
				}}
			},
			[]string{"notify", "ana by email: ana@example.com", "mum by email: [flag_off]"},
		},
		"a kind nobody knows is told to nobody": {
			func(in *recipients.Input) { in.Kind = "appointment.dreamt"; in.Contacts = []recipients.Contact{mum()} },
			[]string{"silenced", "ana by email: [flag_off]", "mum by email: [flag_off]"},
		},
	})
}

func TestNotifyOffStopsTheConfirmationsOnly(t *testing.T) {
	t.Parallel()
	stopped := []kind.Kind{
		kind.Booked, kind.Confirmed, kind.Rescheduled, kind.Declined, kind.Cancelled, kind.Missed,
	}
	for _, k := range kind.All() {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			in := visit()
			in.Kind, in.NotifyOff = k, true
			want := []string{"notify", "ana by email: ana@example.com"}
			if slices.Contains(stopped, k) {
				want = []string{"skipped", "ana by email: [notify_off]"}
			}
			if diff := cmp.Diff(want, verdicts(recipients.Decide(in))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Somebody who is in both lists gets the contact's message, and may all the
// same do what they may as the client.
func TestWhoIsTheClientManagesAsTheClientDoes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		as   *recipients.Client
		want bool
	}{
		"the client's own contact row": {&recipients.Client{ID: "ana"}, true},
		"another client":               {&recipients.Client{ID: "bea"}, false},
		"no client":                    {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := visit()
			self := mum()
			self.As = c.as
			in.Contacts = []recipients.Contact{self}
			told := recipients.Decide(in).Candidates[1]
			if told.ID != "mum" || told.Person.CanManageAppointments != c.want {
				t.Errorf("%s manages: %t, want %t", told.ID, told.Person.CanManageAppointments, c.want)
			}
		})
	}
}
