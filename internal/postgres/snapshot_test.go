package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rappel/recipients"
)

// A number may be given to somebody else, or a mailbox be mended.
func TestARefusedAddressIsTriedAgainAfterThirtyDays(t *testing.T) {
	t.Parallel()
	for ago, want := range map[string]int{"29 days": 1, "31 days": 0} {
		t.Run(ago, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			visit := w.visit(w.client(), noon(), nil)
			w.exec(`INSERT INTO rappel.unusable_addresses (channel, address, code, refused_at)
				VALUES ('sms', '+12015550101', 'landline', now() - $1::text::interval)`, ago)
			s, err := w.Snapshot(t.Context(), visit)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(s.Unusable); got != want {
				t.Errorf("%d unusable addresses, want %d", got, want)
			}
		})
	}
}

func TestAContactIsTheClientOfThisPracticeTheyAreLinkedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	oak := w.insert("practices", row{"name": "Oak Street", "time_zone": "America/New_York"})
	child := w.client()
	mother := row{"practice_id": w.practice, "first_name": "Mia", "preferred_name": "Mimi", "phone": "+12015550102", "do_not_contact": true}
	here := w.insert("clients", mother)
	mother["practice_id"] = oak
	elsewhere := w.insert("clients", mother)
	for position, as := range []any{here, elsewhere, nil} {
		contact := w.insert("contacts", row{"practice_id": w.practice, "client_id": as, "first_name": "Mia"})
		w.insert("client_contacts", row{"client_id": child, "contact_id": contact, "position": position})
	}
	s, err := w.Snapshot(t.Context(), w.visit(child, noon(), nil))
	if err != nil {
		t.Fatal(err)
	}
	var got []*recipients.Client
	for _, k := range s.Contacts {
		got = append(got, k.As)
	}
	want := []*recipients.Client{{ID: here, FirstName: "Mia", PreferredName: "Mimi", Phone: "+12015550102", DoNotContact: true}, nil, nil}
	for _, c := range got {
		if c != nil { // the schema's own defaults are not what this is about
			c.Method, c.ReceivesReminders, c.ReceivesConfirmations, c.ReceivesScheduled = "", false, false, false
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
