package postgres_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/jobs/plan"
	"rappel/recipients"
)

func TestTwoPlannersTakeDifferentEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client()
	for range 20 {
		w.event("appointment.booked", w.visit(client, noon().AddDate(0, 0, 7), nil))
	}
	holds, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var mine []plan.Decision
	var wait sync.WaitGroup
	wait.Go(func() {
		_, made, err := w.PlanEvents(t.Context(), 8, func(e plan.Event, s *practice.Snapshot) (plan.Decision, bool) {
			once.Do(func() { close(holds); <-release })
			return decide(e, s)
		})
		if err != nil {
			t.Error(err)
		}
		mine = made
	})
	<-holds
	taken, theirs, err := w.PlanEvents(soon(t), 100, decide) // does not wait for the other
	close(release)
	wait.Wait()
	if taken != 12 || len(theirs) != 12 || len(mine) != 8 || err != nil {
		t.Errorf("one took 8 and made %d, the other took %d and made %d: %v", len(mine), taken, len(theirs), err)
	}
	seen := map[string]bool{}
	for _, d := range slices.Concat(mine, theirs) {
		if seen[d.EventID] {
			t.Errorf("event %s was answered twice", d.EventID)
		}
		seen[d.EventID] = true
	}
	if got := w.text(`SELECT count(*) FROM rappel.events WHERE planned_at IS NULL OR decision_id IS NULL`); got != "0" {
		t.Errorf("%s events are not answered", got)
	}
}

func TestTheSameEventToldTwiceMakesOneDecision(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		tell func(w *world, appointment string)
		want string // decisions and notifications
	}{
		"the same id as a task and as a row": {func(w *world, a string) {
			id := w.event("appointment.booked", a)
			for range 2 {
				if _, err := w.AddEvents(w.t.Context(), []plan.Event{{ID: id, Kind: kind.Booked, AppointmentID: a, OccurredAt: noon()}}); err != nil {
					w.t.Error(err)
				}
			}
		}, "1 1"},
		"the same id after it was planned": {func(w *world, a string) {
			id := w.event("appointment.booked", a)
			w.plan()
			if _, err := w.AddEvents(w.t.Context(), []plan.Event{{ID: id, Kind: kind.Booked, AppointmentID: a, OccurredAt: noon()}}); err != nil {
				w.t.Error(err)
			}
		}, "1 1"},
		"the same kind and revision at once": {func(w *world, a string) {
			w.event("appointment.booked", a)
			w.event("appointment.booked", a)
		}, "1 1"},
		"the same kind and revision later": {func(w *world, a string) {
			w.event("appointment.booked", a)
			w.plan()
			w.event("appointment.booked", a)
		}, "1 1"},
		"the same kind of another revision": {func(w *world, a string) {
			w.event("appointment.rescheduled", a)
			w.plan()
			w.exec(`UPDATE rappel.appointments SET revision = 2 WHERE id = $1`, a)
			w.event("appointment.rescheduled", a)
		}, "2 2"},
		"another kind": {func(w *world, a string) {
			w.event("appointment.booked", a)
			w.event("appointment.confirmed", a)
		}, "2 2"},
		"a telehealth link is told as often as it is sent": {func(w *world, a string) {
			w.event("appointment.telehealth_link", a)
			w.event("appointment.telehealth_link", a)
		}, "2 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.tell(w, w.visit(w.client(), noon().AddDate(0, 0, 7), row{"telehealth_url": "https://meet.example.com/a"}))
			w.plan()
			w.plan()
			got := w.text(`SELECT count(*) FROM rappel.decisions`) + " " + w.text(`SELECT count(*) FROM rappel.notifications`)
			if got != c.want {
				t.Errorf("decisions and notifications: %s, want %s", got, c.want)
			}
			if open := w.text(`SELECT count(*) FROM rappel.events WHERE planned_at IS NULL OR decision_id IS NULL`); open != "0" {
				t.Errorf("%s events are not answered", open)
			}
		})
	}
}

func TestAnEventWaitsTenMinutesForItsAppointment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	missing := newID()
	id := w.event("appointment.booked", missing)
	if made := w.plan(); len(made) != 0 {
		t.Fatalf("decided about what is not there: %+v", made)
	}
	if made := w.plan(); len(made) != 0 || w.text(`SELECT look_at > created_at FROM rappel.events WHERE id = $1`, id) != "true" {
		t.Error("it does not wait")
	}

	// One whose appointment comes meanwhile is planned as any other.
	late := w.event("appointment.booked", newID())
	w.plan()
	appointment := w.text(`SELECT appointment_id FROM rappel.events WHERE id = $1`, late)
	w.visit(w.client(), noon().AddDate(0, 0, 7), row{"id": appointment})
	w.exec(`UPDATE rappel.events SET look_at = now() WHERE id = $1`, late)
	if made := w.plan(); len(made) != 1 || made[0].Outcome != recipients.Notify {
		t.Errorf("made %+v", made)
	}

	w.exec(`UPDATE rappel.events SET look_at = now(), created_at = now() - interval '10 minutes' WHERE id = $1`, id)
	made := w.plan()
	if len(made) != 1 || made[0].Outcome != recipients.Skipped {
		t.Fatalf("made %+v", made)
	}
	want := "skipped " + missing + " " + id
	if got := w.text(`SELECT outcome || ' ' || appointment_id || ' ' || event_id FROM rappel.decisions WHERE event_id = $1`, id); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheWaitForAnAppointmentGrowsToHalfAMinute(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ age, least, most string }{
		"at first":            {"0 s", "0.5 s", "1.5 s"},
		"after ten seconds":   {"10 s", "4 s", "6 s"},
		"after half a minute": {"30 s", "14 s", "16 s"},
		"after nine minutes":  {"9 min", "29 s", "31 s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.insert("events", row{"kind": "appointment.booked", "appointment_id": newID()})
			w.exec(`UPDATE rappel.events SET created_at = now() - $1::text::interval`, c.age)
			w.plan()
			// It was looked at between the two, and grew older by no more than that.
			const began = `created_at + $1::text::interval`
			if got := w.text(`SELECT look_at BETWEEN `+began+` + $2::text::interval AND now() + (now() - (`+began+`)) + $3::text::interval
				FROM rappel.events`, c.age, c.least, c.most); got != "true" {
				t.Errorf("waits for %s", w.text(`SELECT look_at - now() FROM rappel.events`))
			}
		})
	}
}

func TestAnEventThatCannotBePlannedIsSetAside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.insert("events", row{"kind": "appointment.booked", "appointment_id": newID(), "look_at": time.Now().Add(-time.Hour)})
	w.event("appointment.booked", newID())
	_, _, err := w.PlanEvents(t.Context(), 1, func(plan.Event, *practice.Snapshot) (plan.Decision, bool) { panic("no") })
	if failed, ok := errors.AsType[*plan.EventError](err); !ok || failed.Event.ID != first {
		t.Fatalf("%v does not name event %s", err, first)
	}
	if tried, err := w.SetAside(t.Context(), first); tried || err != nil {
		t.Errorf("tried before: %t, %v", tried, err)
	}
	w.exec(`UPDATE rappel.events SET created_at = now() - interval '10 minutes' WHERE id = $1`, first)
	if tried, err := w.SetAside(t.Context(), first); !tried || err != nil {
		t.Errorf("tried before: %t, %v", tried, err)
	}
	taken, _, err := w.PlanEvents(t.Context(), 10, decide)
	if taken != 1 || err != nil {
		t.Errorf("took %d, %v", taken, err)
	}
	d := identified(plan.Decision{EventID: first, Kind: "appointment.booked", DecidedAt: noon(), Outcome: recipients.Skipped, Detail: "unreadable"})
	if err := w.GiveUp(t.Context(), d); err != nil {
		t.Error(err)
	}
	if got := w.text(`SELECT concat_ws(' ', e.planned_at IS NOT NULL, d.outcome, d.detail) FROM rappel.events e JOIN rappel.decisions d ON d.id = e.decision_id WHERE e.id = $1`, first); got != "t skipped unreadable" {
		t.Errorf("given up: %s", got)
	}
}

// due returns a rule that is due for each of the visits, as the sweep found it.
func (w *world) due(rule string, visits ...string) []plan.Due {
	w.t.Helper()
	minutes := -60
	var all []plan.Due
	for _, v := range visits {
		all = append(all, plan.Due{
			Rule: plan.Rule{
				Rule:     schedule.Rule{ID: rule, Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: &minutes},
				Template: "appointment.reminder",
			},
			AppointmentID: v,
		})
	}
	return all
}

func (w *world) planRules(due []plan.Due, now time.Time) []plan.Decision {
	w.t.Helper()
	made, err := w.PlanRules(w.t.Context(), due, func(r plan.Rule, s *practice.Snapshot) (plan.Decision, bool) {
		return decideRule(r, s, now)
	})
	if err != nil {
		w.t.Error(err)
	}
	return made
}

func TestARuleIsDecidedOnceForAnAppointmentAndItsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	starts := time.Date(2026, time.December, 10, 20, 0, 0, 0, time.UTC)
	visit := w.visit(w.client(), starts, nil)
	due := w.due(newID(), visit)
	made := func(now time.Time, want int) {
		t.Helper()
		if got := len(w.planRules(due, now)); got != want {
			t.Errorf("%d decisions, want %d", got, want)
		}
	}
	move := func(to time.Time) {
		t.Helper()
		w.exec(`UPDATE rappel.appointments SET starts_at = $2, ends_at = $2::timestamptz + interval '1 hour' WHERE id = $1`, visit, to)
	}
	made(starts.Add(-2*time.Hour), 0) // not due yet
	made(starts.Add(-time.Hour), 1)
	made(starts.Add(-time.Hour), 0)
	move(starts.AddDate(0, 0, 1))
	made(starts.AddDate(0, 0, 1).Add(-time.Hour), 1) // another start
	move(starts)
	made(starts.Add(-time.Hour), 0) // away and back
	if got := len(w.planRules(w.due(newID(), newID()), starts)); got != 0 {
		t.Errorf("%d decisions about an appointment that is gone", got)
	}
}

// TestManyPlannersOfTheSameRulesDecideEachOnce also has them come in every
// order, which must not let two of them wait for each other.
func TestManyPlannersOfTheSameRulesDecideEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	starts := time.Date(2026, time.December, 10, 20, 0, 0, 0, time.UTC)
	client, rule := w.client(), newID()
	var visits []string
	for range 40 {
		visits = append(visits, w.visit(client, starts, nil))
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	total := 0
	for i := range 6 {
		due := w.due(rule, visits...)
		if i%2 == 1 {
			slices.Reverse(due)
		}
		wait.Go(func() {
			n := len(w.planRules(due, starts.Add(-time.Hour)))
			mu.Lock()
			defer mu.Unlock()
			total += n
		})
	}
	wait.Wait()
	if total != len(visits) {
		t.Errorf("%d new decisions about %d visits", total, len(visits))
	}
	got := w.text(`SELECT count(*) FROM rappel.decisions`) + " " + w.text(`SELECT count(*) FROM rappel.notifications`)
	if got != "40 40" {
		t.Errorf("decisions and notifications: %s", got)
	}
}

func TestWhatIsDecidedIsKeptWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.client()
	contact := w.insert("contacts", row{"practice_id": w.practice, "first_name": "Mary", "phone": "+12015550102"})
	w.insert("client_contacts", row{"client_id": client, "contact_id": contact, "receives_confirmations": true})
	starts := noon().AddDate(0, 0, 7)
	visit := w.visit(client, starts, row{"revision": 4})
	event := w.event("appointment.booked", visit)
	w.plan()
	want := []string{
		w.practice + " " + client + " " + visit + " " + event + " - appointment.booked 4 notify 2",
		client + " - " + visit + " appointment.booked sms +12015550101 appointment.booked pending 0 t t",
		client + " " + contact + " " + visit + " appointment.booked sms +12015550102 appointment.booked pending 0 t t",
	}
	got := []string{
		w.text(`SELECT concat_ws(' ', practice_id, client_id, appointment_id, event_id, coalesce(rule_id::text, '-'), kind, revision, outcome,
			jsonb_array_length(candidates)) FROM rappel.decisions`),
	}
	for _, address := range []string{"+12015550101", "+12015550102"} {
		got = append(got, w.text(`SELECT concat_ws(' ', client_id, coalesce(contact_id::text, '-'), appointment_id, kind, channel, address, template,
			status, attempts, not_before = $2, not_after = $3) FROM rappel.notifications WHERE address = $1`, address, noon(), starts))
	}
	slices.Sort(got[1:])
	slices.Sort(want[1:])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if names := w.text(`SELECT count(*) FROM rappel.decisions WHERE candidates::text ~ 'Ann|Lee|Mary|5550'`); names != "0" {
		t.Error("candidates hold a name or an address")
	}
}

func TestAListenerIsWokenByEachInsertAndOnceAtFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	woken, done := make(chan struct{}, 10), make(chan error, 1)
	go func() { done <- w.Listen(ctx, postgres.NewEvents, func() { woken <- struct{}{} }, func() {}) }()
	wake := func(why string) {
		t.Helper()
		select {
		case <-woken:
		case err := <-done:
			t.Fatalf("%s: the listener ended: %v", why, err)
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not woken", why)
		}
	}
	wake("at first")
	w.event("appointment.booked", newID())
	wake("after an insert")
	if _, err := w.AddEvents(ctx, []plan.Event{{ID: newID(), Kind: kind.Booked, AppointmentID: newID(), OccurredAt: noon()}}); err != nil {
		t.Fatal(err)
	}
	wake("after a task")
	stop()
	if err := <-done; err == nil {
		t.Error("ended without a word")
	}
}
