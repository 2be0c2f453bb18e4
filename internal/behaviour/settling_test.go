package behaviour_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// settles gives corrections ten minutes in the practice.
func (w *world) settles() {
	w.t.Helper()
	w.slow = true
	w.update("practices", w.practice, "settle_seconds = 600")
}

// settled lets these ten minutes pass. Events wait by the machine's clock.
func (w *world) settled() {
	w.t.Helper()
	w.settle() // everything was looked at once
	w.clock.set(w.clock.Now().Add(11 * time.Minute))
	defer func() { w.clock.set(w.clock.Now().Add(time.Minute)) }()
	w.exec("UPDATE rappel.events SET created_at = created_at - interval '11 minutes', look_at = now() WHERE planned_at IS NULL")
	w.untilTrue("what settled is decided about", `SELECT NOT EXISTS (
		SELECT FROM rappel.events WHERE planned_at IS NULL AND created_at < now() - interval '10 minutes')`)
}

// A correction is one story: what happens within ten minutes, and perhaps
// before and after these, and the words of what is told of it.
type correction struct {
	known  bool // the client was told of the booking before
	first  func(w *world, visit string)
	later  func(w *world, visit string)
	booked row
	want   []string
}

func TestOfWhatIsCorrectedAtOnceOnlyTheEndIsTold(t *testing.T) {
	t.Parallel()
	const saturday = "2026-12-12T15:00:00-05:00"
	booked := func(w *world, v string) { w.tell("appointment.booked", v) }
	bookedThen := func(more ...func(*world, string)) func(*world, string) {
		return inTurn(append([]func(*world, string){booked}, more...)...)
	}
	moves := func(to string) func(*world, string) { return func(w *world, v string) { w.move(v, to) } }
	bookedAgain := func(w *world, v string) {
		w.change(v, "status = 'scheduled'")
		w.tell("appointment.booked", v)
	}
	stories := map[string]correction{
		"booked":                             {first: booked, want: []string{"December 10, 2026 at 3:00 PM is booked"}},
		"booked and cancelled":               {first: bookedThen((*world).cancel)},
		"booked and moved":                   {first: bookedThen(moves(friday)), want: []string{"December 11, 2026 at 3:00 PM is booked"}},
		"booked and moved twice":             {first: bookedThen(moves(friday), moves(saturday)), want: []string{"December 12, 2026 at 3:00 PM is booked"}},
		"booked, moved and cancelled":        {first: bookedThen(moves(friday), (*world).cancel)},
		"booked, moved and moved back":       {first: bookedThen(moves(friday), moves(thursday)), want: []string{"December 10, 2026 at 3:00 PM is booked"}},
		"booked and confirmed":               {first: bookedThen((*world).confirm), want: []string{"is confirmed"}},
		"booked, confirmed and cancelled":    {first: bookedThen((*world).confirm, (*world).cancel)},
		"booked, cancelled and booked again": {first: bookedThen((*world).cancel, bookedAgain), want: []string{"is booked"}},
		"booked, cancelled, and moved later": {first: bookedThen((*world).cancel), later: inTurn(bookedAgain, moves(friday)), want: []string{"December 11, 2026 at 3:00 PM is booked"}},
		"requested and declined":             {booked: row{"status": "requested"}, first: (*world).decline, want: []string{"December 10, 2026"}},
		"never told of, cancelled":           {first: (*world).cancel, want: []string{"canceled"}},
		"never told of, moved":               {first: moves(friday), want: []string{"December 11, 2026"}},
		"known, moved and moved back":        {known: true, first: inTurn(moves(friday), moves(thursday))},
		"known, moved, and back much later":  {known: true, first: moves(friday), later: moves(thursday), want: []string{"December 11, 2026", "December 10, 2026"}},
		"known and moved twice":              {known: true, first: inTurn(moves(friday), moves(saturday)), want: []string{"December 12, 2026"}},
		"known, the room alone changed":      {known: true, first: moves(thursday), want: []string{"December 10, 2026"}},
		"known and cancelled":                {known: true, first: (*world).cancel, want: []string{"canceled"}},
		"known, moved and cancelled":         {known: true, first: inTurn(moves(friday), (*world).cancel), want: []string{"canceled"}},
		"known, cancelled and booked again":  {known: true, first: inTurn((*world).cancel, bookedAgain)},
		"known, moved and confirmed":         {known: true, first: inTurn(moves(friday), (*world).confirm), want: []string{"December 11, 2026", "is confirmed"}},
		"known, cancelled, and that told on": {known: true, first: (*world).cancel, later: (*world).cancel, want: []string{"canceled"}},
		"known, cancelled, and booked later": {known: true, first: (*world).cancel, later: bookedAgain, want: []string{"canceled", "is booked"}},
		"known, marked as missed by mistake": {known: true, first: inTurn((*world).miss, func(w *world, v string) { w.change(v, "status = 'scheduled'") })},
		"declined, and that told once more":  {booked: row{"status": "requested"}, first: (*world).decline, later: (*world).decline, want: []string{"December 10, 2026"}},
		"confirmed, and that told once more": {known: true, first: (*world).confirm, later: (*world).confirm, want: []string{"is confirmed"}},
	}
	w := newWorld(t, monday)
	w.settles()
	visits, numbers := map[string]string{}, map[string]string{}
	for story, s := range stories {
		numbers[story] = fmt.Sprintf("+120155501%02d", len(numbers))
		visits[story] = w.appointment(w.client("Client"+fmt.Sprint(len(numbers)), row{"phone": numbers[story]}), thursday, s.booked)
		if s.known {
			booked(w, visits[story])
		}
	}
	w.settled()
	w.settle()
	w.inbox.take() // what they know
	for story, s := range stories {
		s.first(w, visits[story])
	}
	w.settled()
	for story, s := range stories {
		if s.later != nil {
			s.later(w, visits[story])
		}
	}
	w.settled()
	w.settle()
	got := w.inbox.take()
	for story, s := range stories {
		var words []string
		for _, m := range got {
			if strings.HasPrefix(m, "sms "+numbers[story]) {
				words = append(words, m)
			}
		}
		if len(words) != len(s.want) || !holdsInOrder(words, s.want) {
			t.Errorf("%s: %q, want %q", story, words, s.want)
		}
	}
}

// inTurn lets one thing happen after the other.
func inTurn(all ...func(*world, string)) func(*world, string) {
	return func(w *world, visit string) {
		for _, happens := range all {
			happens(w, visit)
		}
	}
}

// holdsInOrder tells whether each text holds the words that stand in its place.
func holdsInOrder(texts, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(texts[slices.Index(words, w)], w) })
}

func TestWhatSettlesIsNotToldBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.settles()
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expect()
	if got := w.explain(visit); len(got) != 1 || !strings.HasSuffix(got[0], " appointment.booked waiting") {
		t.Errorf("explained as %q", got)
	}
	w.pass(time.Hour) // of people's clock: corrections have time by the machine's
	w.expect()
	w.settled()
	w.expect("sms +12015550101: is booked")
	w.cancel(visit)
	w.settled()
	w.expect("sms +12015550101: canceled")
}

func TestNoticesAndPracticesWithoutTheSwitchDoNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.book(ann, thursday)
	w.expect("sms +12015550101: is booked")
	w.settles()
	w.slow = false // a notice is of use for a day of people's clock
	w.notice("form.sent", ann, "", `{"form_link": "https://example.com/f"}`)
	w.expect("sms +12015550101: https://example.com/f")
}

func TestAMomentOfSettlingEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.slow = true
	w.update("practices", w.practice, "settle_seconds = 1")
	visit, at := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, nil), instant(t, friday)
	w.clock.set(w.clock.Now().Add(time.Second))
	w.change(visit, "starts_at = $3, ends_at = $4, start_set_at = $2", at, at.Add(50*time.Minute))
	// In one statement: between two, a busy machine may let more than that second go by.
	w.exec(`INSERT INTO rappel.events (kind, appointment_id) VALUES ('appointment.booked', $1), ('appointment.rescheduled', $1)`, visit)
	w.untilTrue("both are decided about", `SELECT count(*) = 2 FROM rappel.events WHERE planned_at IS NOT NULL`)
	w.expect("sms +12015550101: December 11, 2026 at 3:00 PM is booked")
}
