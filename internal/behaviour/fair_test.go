package behaviour_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// others says how large the flood is. As large as the README speaks of it takes
// a while: make fair asks for that.
var others = flag.Int("others", 1500, "reminders of another practice that wait while a lone event is measured") //nolint:gochecknoglobals // a flag of the test binary

// One practice's flood of reminders, to an endpoint that takes its time, does
// not hold up another practice's confirmation.
func TestALoneEventIsNotHeldUpByAnothersFlood(t *testing.T) { //nolint:paralleltest // it measures
	w := openWorld(t, monday, func(w *world) { w.cfg.Concurrency = 64 })
	w.inbox.slow.Store(int64(20 * time.Millisecond))
	ann := w.client("Ann", row{"phone": "+12015550101"})

	const lone = 40
	idle := w.loneEvents(ann, lone, func() bool { return false })
	began := time.Now()
	w.flood(*others)
	busy := w.loneEvents(ann, lone, func() bool { return w.waiting(t.Context()) == 0 })
	if len(busy) < 5 {
		t.Fatalf("only %d lone events got through while others waited", len(busy))
	}
	t.Logf("from event to request, idle:             median %s, p99 %s of %d", percentile(idle, 50), percentile(idle, 99), len(idle))
	t.Logf("from event to request, %6d others wait: median %s, p99 %s of %d; %.1f times the idle p99",
		*others, percentile(busy, 50), percentile(busy, 99), len(busy),
		float64(percentile(busy, 99))/float64(percentile(idle, 99)))
	if most := 2 * percentile(idle, 99); *others >= 20_000 && percentile(busy, 99) > most {
		t.Errorf("p99 %s while others wait, idle %s: more than twice", percentile(busy, 99), percentile(idle, 99))
	}
	for left := w.waiting(t.Context()); left > 0; left = w.waiting(t.Context()) {
		w.until("more of the others are told", func(ctx context.Context) bool { return w.waiting(ctx) < left })
	}
	t.Logf("the others were told in %s, %.0f a second", time.Since(began).Round(time.Second/10), float64(*others)/time.Since(began).Seconds())
	w.settle()
	w.inbox.take()
}

// flood makes one sweep find n reminders of another practice.
func (w *world) flood(n int) {
	w.t.Helper()
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	zoe := w.client("Zoe", row{"practice_id": other, "phone": "+12015550199"})
	w.rule(row{"practice_id": other, "offset_minutes": -24 * hour})
	tomorrow := w.clock.Now().Add(24 * time.Hour)
	w.exec(`INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, status, booked_at, updated_at)
		SELECT gen_random_uuid(), $1, $2, $3, $3::timestamptz + interval '50 min', 'scheduled', $4, $4
		FROM generate_series(1, $5::int)`,
		other, zoe, tomorrow, tomorrow.AddDate(0, -1, 0), n)
	w.sweep()
}

// waiting counts what is due and has not gone.
func (w *world) waiting(ctx context.Context) int {
	w.t.Helper()
	var n int
	err := w.db.QueryRow(ctx, `SELECT count(*) FROM rappel.notifications WHERE status = 'pending' AND not_before <= $1`,
		w.clock.Now()).Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// loneEvents books one visit after the other, each when the one before was
// told, until there were so many or the others are done, and returns how long
// each took to the request.
func (w *world) loneEvents(client string, most int, done func() bool) []time.Duration {
	w.t.Helper()
	var took []time.Duration
	for len(took) < most && !done() {
		began := time.Now()
		visit := w.book(client, thursday)
		var came time.Time
		w.until("the lone event is told", func(context.Context) bool {
			came = w.inbox.cameAbout(visit)
			return !came.IsZero()
		})
		took = append(took, came.Sub(began))
	}
	return took
}

// cameAbout is when the first request about an appointment came.
func (in *inbox) cameAbout(appointment string) time.Time {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, t := range slices.Backward(in.tries) {
		if strings.Contains(t.body, fmt.Sprintf("%q", appointment)) {
			return t.at
		}
	}
	return time.Time{}
}

func percentile(took []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)].Round(time.Millisecond / 10)
}
