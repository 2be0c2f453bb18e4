package sweep_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// A ward is a store and a planner in memory: what was decided once is not found
// again, and a decision that is there already is not made anew.
type ward struct {
	rules     []schedule.Rule
	snapshots map[string]*practice.Snapshot
	decided   map[string]string // what, by rule and appointment
	mark      time.Time
}

func (w *ward) Mark(context.Context) (time.Time, error) { return w.mark, nil }

func (w *ward) Advance(_ context.Context, t, _ time.Time) error {
	if t.After(w.mark) {
		w.mark = t
	}
	return nil
}

func (w *ward) Find(_ context.Context, _ sweep.Span, yield func(sweep.Found)) error {
	for id, s := range w.snapshots {
		visit, _ := s.Visit()
		for _, r := range w.rules {
			if _, done := w.decided[r.ID+" "+id]; !done {
				yield(sweep.Found{
					Rule: plan.Rule{Rule: r, Template: "t", Siblings: w.rules}, AppointmentID: id,
					Visit: visit, Window: s.Practice.SMSWindow,
				})
			}
		}
	}
	return nil
}

func (w *ward) Rules(_ context.Context, due []plan.Due, now, upTo time.Time) (int, error) {
	for _, d := range due {
		key := d.Rule.ID + " " + d.AppointmentID
		decision, ok := plan.DecideRule(d.Rule, w.snapshots[d.AppointmentID], now, upTo)
		if _, done := w.decided[key]; done || !ok {
			continue
		}
		var sends []string
		for _, n := range decision.Notifications {
			sends = append(sends, fmt.Sprintf("%s at %s", n.Channel, n.NotBefore.UTC().Format(time.RFC3339)))
		}
		w.decided[key] = string(decision.Outcome) + ": " + strings.Join(sends, ", ")
	}
	return len(due), nil
}

// sweepAt sweeps up to each of the given times, all at one moment.
func (w *ward) sweepAt(t *rapid.T, moment time.Time, ats ...time.Time) {
	s := &sweep.Sweeper{Store: w, Planner: w, Now: func() time.Time { return moment }, Log: slog.New(slog.DiscardHandler)}
	for _, at := range ats {
		if _, err := s.Sweep(context.Background(), at); err != nil {
			t.Fatal(err)
		}
	}
}

// drawWard draws a practice in New York whose sweep has been away since mark,
// around one of the two nights of the year.
func drawWard(t *rapid.T, mark time.Time) *ward {
	zone, ok := zoneinfo.Embedded().Load("America/New_York")
	if !ok {
		t.Fatal("there is no New York")
	}
	w := &ward{snapshots: map[string]*practice.Snapshot{}, decided: map[string]string{}, mark: mark}
	kinds := []kind.Kind{kind.Reminder, kind.Scheduled}
	anchors := []schedule.Anchor{schedule.AnchorStart, schedule.AnchorEnd, schedule.AnchorBooked}
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		r := schedule.Rule{ID: fmt.Sprint("r", i), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Anchor: rapid.SampledFrom(anchors).Draw(t, "anchor")}
		if rapid.Bool().Draw(t, "in days") {
			r.Days = new(rapid.IntRange(-3, 1).Draw(t, "days"))
		} else {
			r.Minutes = new(15 * rapid.IntRange(-200, 8).Draw(t, "quarters"))
		}
		w.rules = append(w.rules, r)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "visits") {
		starts := mark.Add(time.Duration(rapid.IntRange(-48, 400).Draw(t, "starts")) * 15 * time.Minute)
		booked := starts.Add(-time.Duration(rapid.IntRange(1, 800).Draw(t, "booked")) * 15 * time.Minute)
		w.snapshots[fmt.Sprint("a", i)] = &practice.Snapshot{
			Zones: zoneinfo.Embedded(),
			Practice: practice.Practice{
				ID: "p", TimeZone: zone.String(), Active: true, LateBooking: rapid.SampledFrom([]string{"skip", "grace"}).Draw(t, "late"),
				SMSWindow: schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}},
			},
			Appointment: &practice.Appointment{
				ID: fmt.Sprint("a", i), StartsAt: starts, EndsAt: starts.Add(50 * time.Minute), Status: schedule.StatusScheduled,
				Notify: true, BookedAt: booked, StartSetAt: booked,
			},
			Client: recipients.Client{
				ID: "c", Email: "ann@example.com", Phone: "+12015550101", ReceivesReminders: true, ReceivesScheduled: true,
				Method: rapid.SampledFrom([]string{"sms", "email", "both"}).Draw(t, "method"),
			},
		}
	}
	return w
}

func (w *ward) copy() *ward {
	c := *w
	c.decided = map[string]string{}
	return &c
}

func TestASweepInPartsDecidesWhatOneSweepDoes(t *testing.T) {
	t.Parallel()
	for _, night := range []string{"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"} {
		mark := at(t, night)
		rapid.Check(t, func(t *rapid.T) {
			whole := drawWard(t, mark)
			parts, twice := whole.copy(), whole.copy()
			now := mark.Add(time.Duration(rapid.IntRange(1, 72*60).Draw(t, "minutes away")) * time.Minute)
			whole.sweepAt(t, now, now)
			twice.sweepAt(t, now, now, now)
			var cuts []time.Time
			for range rapid.IntRange(1, 4).Draw(t, "cuts") {
				cuts = append(cuts, mark.Add(time.Duration(rapid.Int64Range(0, int64(now.Sub(mark))).Draw(t, "cut"))))
			}
			slices.SortFunc(cuts, time.Time.Compare)
			parts.sweepAt(t, now, append(cuts, now)...)
			if diff := cmp.Diff(whole.decided, twice.decided); diff != "" {
				t.Errorf("a second sweep decides otherwise:\n%s", diff)
			}
			if diff := cmp.Diff(whole.decided, parts.decided); diff != "" {
				t.Errorf("cut at %s it decides otherwise:\n%s", cuts, diff)
			}
		})
	}
}
