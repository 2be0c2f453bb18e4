package dev_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	noah  = "0de00000-0000-7000-8000-000000000108"
	ella  = "0de00000-0000-7000-8000-000000000109"
	grace = "0de00000-0000-7000-8000-000000000203"
)

func TestANoticeIsARowOfEvents(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ kind, whom, want string }{
		"to a contact": {"form.sent", noah + "/" + grace, grace + ` {"form_link": "https://harborlane.example.com/forms/intake", "form_name": "Intake form"}`},
		"to the client": {
			"portal.invited", noah, `client {"portal_link": "https://harborlane.example.com/portal"}`,
		},
		"to all who may see it, whoever is chosen": {
			"invoice.issued", noah + "/" + grace,
			`client {"invoice_due": "2026-12-08", "portal_link": "https://harborlane.example.com/portal", "invoice_amount": "$120.00", "invoice_number": "2041"}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			if said := r.press("/do/notice", url.Values{"kind": {c.kind}, "whom": {c.whom}}); !strings.Contains(said, "told rappel") {
				t.Error(said)
			}
			got := query(t, r.db, `SELECT coalesce(contact_id::text, 'client') || ' ' || data FROM rappel.events WHERE kind = $1 AND client_id = $2`, c.kind, noah)
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSiblingsAreBookedWithinOneHour(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if said := r.press("/do/siblings", url.Values{}); !strings.HasPrefix(said, "Booked both") {
		t.Error(said)
	}
	if said := r.press("/do/siblings", url.Values{}); !strings.HasPrefix(said, "Noah or Ella has a visit ahead") {
		t.Error(said)
	}
	got := query(t, r.db, `
		SELECT concat_ws(' ', e.kind, to_char(a.starts_at AT TIME ZONE 'America/New_York', 'Dy HH24:MI'))
		FROM rappel.appointments a JOIN rappel.events e ON e.appointment_id = a.id WHERE a.client_id IN ($1, $2) ORDER BY a.starts_at`, noah, ella)
	if diff := cmp.Diff([]string{"appointment.booked Wed 11:00", "appointment.booked Wed 11:30"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSwitchesSetThePractice(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	settings := func() string {
		return strings.Join(query(t, r.db, `SELECT family_digest || ' ' || settle_seconds FROM rappel.practices`), "")
	}
	steps := []struct {
		form url.Values
		want string
	}{
		{url.Values{"family": {"on"}}, "true 0"},
		{url.Values{"settle": {"20"}}, "true 20"},
		{url.Values{"settle": {"-1"}}, "true 20"},
		{url.Values{"settle": {"long"}}, "true 20"},
		{url.Values{"family": {"off"}}, "false 20"},
		{url.Values{"settle": {"0"}}, "false 0"},
	}
	for _, s := range steps {
		r.press("/do/setting", s.form)
		if got := settings(); got != s.want {
			t.Errorf("after %v: %s, want %s", s.form, got, s.want)
		}
	}
}
