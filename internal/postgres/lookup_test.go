package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/lookup"
	"rappel/recipients"
)

func TestASearchForEverythingIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, q := range map[string]lookup.Search{
		"nothing":        {AtMost: 1},
		"a status alone": {Status: "failed", AtMost: 1},
		"half a span":    {From: time.Unix(0, 0), AtMost: 1},
		"a place alone":  {After: lookup.Place{CreatedAt: time.Unix(0, 0), ID: newID()}, AtMost: 1},
	} {
		if _, err := w.Search(t.Context(), q); err == nil || !strings.Contains(err.Error(), "must be given") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheStoryOfAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := time.Date(2026, time.November, 24, 15, 0, 0, 0, time.UTC)
	client := w.client()
	visit := w.insert("appointments", row{"practice_id": w.practice, "client_id": client, "starts_at": at.Add(72 * time.Hour), "ends_at": at.Add(73 * time.Hour)})
	event := w.insert("events", row{"kind": "appointment.booked", "appointment_id": visit, "occurred_at": at, "created_at": at.Add(time.Second)})
	decision := w.insert("decisions", row{
		"practice_id": w.practice, "client_id": client, "appointment_id": visit, "event_id": event, "kind": "appointment.booked",
		"decided_at": at.Add(2 * time.Second), "outcome": "notify",
		"candidates": `[{"recipient":"client","id":"` + client + `","channel":"sms","outcome":"send","reasons":[]}]`,
	})
	message := w.insert("notifications", row{
		"decision_id": decision, "practice_id": w.practice, "client_id": client, "appointment_id": visit, "event_id": event,
		"kind": "appointment.booked", "channel": "sms", "address": "+12015550101", "template": "appointment.booked", "status": "pending",
		"not_before": at, "created_at": at, "attempts": 1, "body": "A text",
		"history": `[{"at":"2026-11-24T15:00:05Z","status":"pending","problem":"the endpoint answered 503"}]`,
	})
	w.insert("replies", row{"carrier_id": "c", "address": "+12015550101", "received_at": at, "meaning": "other", "notification_id": message, "body": "Hi"})

	got, err := w.Story(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	if got.Address.Reveal() != "+12015550101" || got.Text != "A text" || got.People[recipients.PersonID{Role: recipients.RoleClient, ID: client}].Name() != "Ann Lee" {
		t.Errorf("address %s, text %d bytes, people %d", got.Address, len(got.Text), len(got.People))
	}
	want := []any{
		&lookup.Event{OccurredAt: at, ReceivedAt: at.Add(time.Second)}, at.Add(2 * time.Second), recipients.Notify,
		[]lookup.Entry{{At: at.Add(5 * time.Second), Status: "pending", Problem: "the endpoint answered 503"}},
		[]lookup.Reply{{ReceivedAt: at, Meaning: "other", Text: "Hi"}},
	}
	if diff := cmp.Diff(want, []any{got.Event, got.Decision.At.UTC(), got.Decision.Outcome, got.History, got.Replies}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	sibling := w.insert("notifications", row{
		"decision_id": decision, "practice_id": w.practice, "client_id": newID(), "kind": "appointment.booked", "channel": "sms",
		"address": "+12015550101", "template": "appointment.booked", "not_before": at, "sent_with": message,
	})
	w.exec(`UPDATE rappel.notifications SET sent_with = id WHERE id = $1`, message)
	for id, other := range map[string]string{message: sibling, sibling: message} {
		if got, err := w.Story(t.Context(), id); err != nil || !cmp.Equal(got.Family, []string{other}) {
			t.Errorf("the family of %s: %v, %v", id, got.Family, err)
		}
	}

	w.exec(`UPDATE rappel.notifications SET address = 'forgotten'`)
	w.exec(`DELETE FROM rappel.events`)
	got, err = w.Story(t.Context(), message)
	if err != nil || got.Event != nil || got.Address != (recipients.Address{}) {
		t.Errorf("past its term: %v, %v, %s", err, got.Event, got.Address)
	}
	if _, err := w.Story(t.Context(), newID()); !errors.Is(err, lookup.ErrUnknown) {
		t.Errorf("of nothing: %v", err)
	}
}

// What waits is counted by the hours that a clock on the wall shows, also where
// the zone is half an hour beside UTC.
func TestWhatWaitsIsCountedByHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hour := time.Date(2026, time.November, 24, 4, 30, 0, 0, time.UTC) // ten in Kolkata
	now := hour.Add(20 * time.Minute)
	wait := func(channel string, at time.Time) {
		t.Helper()
		decision := w.insert("decisions", row{"practice_id": w.practice, "kind": "appointment.reminder", "decided_at": now, "outcome": "notify"})
		w.insert("notifications", row{
			"decision_id": decision, "practice_id": w.practice, "client_id": newID(), "kind": "appointment.reminder", "channel": channel,
			"address": "+12015550101", "template": "x", "not_before": at,
		})
	}
	for _, at := range []time.Time{hour, now.Add(-time.Hour), now, hour.Add(time.Hour - time.Second), hour.Add(time.Hour), hour.Add(24 * time.Hour)} {
		wait("sms", at)
	}
	wait("email", hour.Add(time.Hour))
	got, err := w.DueByHour(t.Context(), now, hour, hour.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []lookup.Due{
		{Channel: "sms", N: 2}, // overdue
		{Hour: hour, Channel: "sms", N: 2},
		{Hour: hour.Add(time.Hour), Channel: "email", N: 1},
		{Hour: hour.Add(time.Hour), Channel: "sms", N: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
