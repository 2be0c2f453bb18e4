package postgres_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

func TestTheMarkNeverGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := func(want time.Time) {
		t.Helper()
		if got, err := w.Mark(t.Context()); !got.Equal(want) || err != nil {
			t.Errorf("the mark is at %s, %v; want %s", got, err, want)
		}
	}
	at(time.Time{})
	for _, step := range []struct{ to, now, want time.Time }{
		{noon().Add(time.Hour), noon().Add(-time.Minute), noon().Add(-time.Minute)}, // as of a time to come
		{noon(), noon(), noon()},
		{noon().Add(-time.Hour), noon(), noon()},
		{noon().Add(time.Minute), noon().Add(time.Minute), noon().Add(time.Minute)},
	} {
		if err := w.Advance(t.Context(), step.to, step.now); err != nil {
			t.Fatal(err)
		}
		at(step.want)
	}
}

// find returns rule and appointment of what the store finds, in order.
func (w *world) find(span sweep.Span) []string {
	w.t.Helper()
	var found []string
	err := w.Find(w.t.Context(), span, func(f sweep.Found) {
		if f.Due(span) {
			found = append(found, f.Rule.ID+" "+f.AppointmentID)
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// rule adds a reminder 60 minutes before the start, saved long ago.
func (w *world) rule(more row) string {
	w.t.Helper()
	r := row{
		"practice_id": w.practice, "kind": "reminder", "name": "a rule", "template": "appointment.reminder",
		"offset_minutes": -60, "updated_at": time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	maps.Copy(r, more)
	return w.insert("rules", r)
}

func TestWhatIsFound(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		rule, visit row
		want        bool
	}{
		"due now":                          {row{}, row{}, true},
		"a rule that is switched off":      {row{"active": false}, row{}, false},
		"a rule of another practice":       {row{"practice_id": newID()}, row{}, false},
		"no offset":                        {row{"offset_minutes": nil}, row{}, false},
		"both offsets":                     {row{"offset_days": -1}, row{}, false},
		"an anchor that nobody knows":      {row{"anchor": "lunch"}, row{}, false},
		"a kind that nobody knows":         {row{"kind": "party"}, row{}, false},
		"an hour after the end":            {row{"anchor": "end", "offset_minutes": 60}, row{"ends_at": noon().Add(-time.Hour)}, true},
		"an hour after the booking":        {row{"anchor": "booked", "offset_minutes": 60}, row{"booked_at": noon().Add(-time.Hour)}, true},
		"a day before, in New York":        {row{"offset_minutes": nil, "offset_days": -1}, row{"starts_at": noon().AddDate(0, 0, 1)}, true},
		"a day before, at its own hour":    {row{"offset_minutes": nil, "offset_days": -1, "at_time": "07:00"}, row{"starts_at": noon().AddDate(0, 0, 1).Add(9 * time.Hour)}, true},
		"a day before, at a later hour":    {row{"offset_minutes": nil, "offset_days": -1, "at_time": "07:01"}, row{"starts_at": noon().AddDate(0, 0, 1).Add(9 * time.Hour)}, false},
		"an hour later than the span":      {row{}, row{"starts_at": noon().Add(2 * time.Hour)}, false},
		"cancelled: it is decided as such": {row{}, row{"status": "cancelled"}, true},
		"centuries before":                 {row{"offset_minutes": -2_000_000_000}, row{}, false},
		"centuries of days":                {row{"offset_minutes": nil, "offset_days": 2_000_000_000}, row{}, false},
		"a visit without end":              {row{}, row{"starts_at": "infinity", "ends_at": "infinity"}, false},
		"set after it was due":             {row{}, row{"starts_at": noon().Add(30 * time.Minute), "start_set_at": noon().Add(-time.Minute)}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			// No window: with one, what may have to leave in advance is live as well.
			w.exec(`UPDATE rappel.practices SET sms_opens = NULL`)
			rule, visit := w.rule(c.rule), w.visit(w.client(), noon().Add(time.Hour), c.visit)
			var want []string
			if c.want {
				want = []string{rule + " " + visit}
			}
			if diff := cmp.Diff(want, w.find(sweep.Span{From: noon().Add(-10 * time.Minute), To: noon()})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatWasDecidedIsNotFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rule, visit := w.rule(row{}), w.visit(w.client(), noon().Add(3*time.Hour), nil)
	now := noon().Add(2 * time.Hour)
	span := sweep.Span{From: now.Add(-10 * time.Minute), To: now}
	if got := w.find(span); len(got) != 1 {
		t.Fatalf("found %q", got)
	}
	if got := w.planRules(w.due(rule, visit), now); len(got) != 1 {
		t.Fatalf("decided %+v", got)
	}
	if got := w.find(span); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	w.exec(`UPDATE rappel.appointments SET starts_at = starts_at + interval '1 min'`)
	span.To = now.Add(time.Minute)
	if got := w.find(span); len(got) != 1 {
		t.Errorf("moved, and found %q", got)
	}
}

func TestARuleComesWithThoseThatMayTakeItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule(row{})
	w.rule(row{"offset_minutes": -120})
	w.rule(row{"active": false})
	w.rule(row{"offset_minutes": nil})
	w.rule(row{"practice_id": newID()})
	w.visit(w.client(), noon().Add(time.Hour), nil)
	err := w.Find(t.Context(), sweep.Span{From: noon().Add(-10 * time.Minute), To: noon()}, func(f sweep.Found) {
		if len(f.Rule.Siblings) != 2 {
			t.Errorf("rule %s has %d siblings", f.Rule.ID, len(f.Rule.Siblings))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nights are the four moments of 2026 at which clocks change in New York or on
// Lord Howe Island, where they change by half an hour.
func nights() []time.Time {
	return []time.Time{
		time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC),
	}
}

// randomRule is a rule on any anchor, by minutes, by days, or by days at an
// hour of its own, within four days.
func randomRule(r *rand.Rand, i int) (schedule.Rule, row) {
	rule := schedule.Rule{
		Kind: kind.Reminder, Anchor: []schedule.Anchor{schedule.AnchorStart, schedule.AnchorEnd, schedule.AnchorBooked}[i%3],
		SavedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	columns := row{"anchor": string(rule.Anchor), "offset_minutes": nil}
	switch n := r.IntN(9) - 4; i % 4 {
	case 0:
		minutes := n*24*60 + r.IntN(60)
		rule.Minutes, columns["offset_minutes"] = &minutes, minutes
	case 1:
		rule.At = &schedule.Clock{Hour: r.IntN(24), Minute: r.IntN(60)}
		columns["at_time"] = fmt.Sprintf("%02d:%02d", rule.At.Hour, rule.At.Minute)
		fallthrough
	default:
		rule.Days, columns["offset_days"] = &n, n
	}
	return rule, columns
}

// leavesInAdvance tells whether the window closes within half an hour of now, and
// is still closed when f is due.
func leavesInAdvance(f sweep.Found, now time.Time) bool {
	soon := now.Add(30 * time.Minute)
	next := f.Window.Next(soon, f.Visit.Zone)
	due := f.Rule.Due(f.Visit)
	return f.Window.Open(now, f.Visit.Zone) && next.After(soon) && due.Before(next) && !f.Window.Open(due, f.Visit.Zone) &&
		(f.Rule.Anchor != schedule.AnchorStart || next.After(f.Visit.StartsAt.Add(-time.Hour)))
}

// TestNothingThatIsDueIsMissed compares the store with a look at every rule and
// every visit, around each night on which clocks change in one of two zones.
func TestNothingThatIsDueIsMissed(t *testing.T) {
	t.Parallel()
	const seed = 20261121
	r := rand.New(rand.NewPCG(seed, seed))
	w := newWorld(t)
	window := schedule.Window{Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}}
	var all []sweep.Found
	for _, name := range []string{"America/New_York", "Australia/Lord_Howe"} {
		zone, _ := zoneinfo.Embedded().Load(name)
		w.practice = w.insert("practices", row{"name": name, "time_zone": name})
		var rules []plan.Rule
		for i := range 24 {
			rule, columns := randomRule(r, i)
			rule.ID = w.rule(columns)
			rules = append(rules, plan.Rule{Rule: rule})
		}
		client := w.client()
		for i := range 120 {
			starts := nights()[i%4].Add(time.Duration(r.IntN(10*24*60)-5*24*60) * time.Minute)
			booked := starts.Add(-time.Duration(r.IntN(10*24*60)) * time.Minute)
			id := w.visit(client, starts, row{"booked_at": booked, "updated_at": booked})
			for _, rule := range rules {
				all = append(all, sweep.Found{Rule: rule, AppointmentID: id, Window: window, Visit: schedule.Visit{
					StartsAt: starts, EndsAt: starts.Add(time.Hour), BookedAt: booked, SetAt: booked, Zone: zone, Status: schedule.StatusScheduled,
				}})
			}
		}
	}
	for i := range 40 {
		to := nights()[i%4].Add(time.Duration(r.IntN(4*24*60)-2*24*60) * time.Minute)
		span := sweep.Span{From: to.Add(-time.Duration(1+r.IntN(48*60)) * time.Minute), To: to}
		var want []string
		for _, f := range all {
			if f.Due(span) && (!f.Rule.Due(f.Visit).After(to) || leavesInAdvance(f, to)) {
				want = append(want, f.Rule.ID+" "+f.AppointmentID)
			}
		}
		got := w.find(span)
		if len(want) == 0 || len(got) > len(want)+len(want)/2 {
			t.Errorf("%s to %s: %d are due, %d were found", span.From, span.To, len(want), len(got))
		}
		for _, due := range want {
			if !slices.Contains(got, due) {
				t.Errorf("%s to %s: %s is missed", span.From, span.To, due)
			}
		}
	}
}

// TestWhatLeavesInAdvanceIsFoundWhereHoursClose has a visit in New York whose
// reminder is due in the night, there and in Berlin. It is looked for in the half
// hour before hours close where somebody is who may be told.
func TestWhatLeavesInAdvanceIsFoundWhereHoursClose(t *testing.T) {
	t.Parallel()
	const berlin = "Europe/Berlin"
	inBerlin, inNewYork := noon().Add(7*time.Hour+45*time.Minute), noon().Add(13*time.Hour+45*time.Minute)
	cases := map[string]struct {
		now     time.Time
		prepare func(w *world, client string)
		want    bool
	}{
		"nobody is in Berlin":                    {inBerlin, func(*world, string) {}, false},
		"the client is in Berlin":                {inBerlin, func(w *world, _ string) { w.exec(`UPDATE rappel.clients SET time_zone = $1`, berlin) }, true},
		"a contact is in Berlin":                 {inBerlin, func(w *world, client string) { w.contact(client, row{"time_zone": berlin}) }, true},
		"another client's contact is there":      {inBerlin, func(w *world, _ string) { w.contact(w.client(), row{"time_zone": berlin}) }, false},
		"a contact is a client who is there":     {inBerlin, func(w *world, client string) { w.contact(client, row{"client_id": w.clientIn(berlin)}) }, true},
		"the client is where nobody ever was":    {inBerlin, func(w *world, _ string) { w.exec(`UPDATE rappel.clients SET time_zone = 'Mars/Olympus'`) }, false},
		"all are in New York, where hours close": {inNewYork, func(*world, string) {}, true},
		"hours have closed in New York":          {inNewYork.Add(15 * time.Minute), func(*world, string) {}, false},
		"the practice has other hours": {inNewYork, func(w *world, _ string) {
			w.exec(`UPDATE rappel.practices SET sms_closes = '20:15'`)
			w.insert("practices", row{"name": "Oak", "time_zone": "America/New_York"})
		}, false},
		"the practice is somewhere else": {inNewYork, func(w *world, _ string) {
			w.exec(`UPDATE rappel.practices SET time_zone = 'America/Chicago'`)
			w.insert("practices", row{"name": "Oak", "time_zone": "America/New_York"})
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, side := range []string{"tables", "views"} {
				w := newWorld(t)
				client := w.client()
				rule := w.rule(row{"offset_minutes": -120})
				visit := w.visit(client, noon().Add(19*time.Hour+30*time.Minute), nil)
				c.prepare(w, client)
				if side == "views" {
					w.becomeViews()
				}
				var want []string
				if c.want {
					want = []string{rule + " " + visit}
				}
				if diff := cmp.Diff(want, w.find(sweep.Span{From: c.now.Add(-10 * time.Minute), To: c.now})); diff != "" {
					t.Errorf("%s (-want +got):\n%s", side, diff)
				}
			}
		})
	}
}

func (w *world) clientIn(zone string) string {
	w.t.Helper()
	return w.insert("clients", row{"practice_id": w.practice, "first_name": "Ida", "time_zone": zone})
}

// contact adds a contact of a client.
func (w *world) contact(client string, contact row) {
	w.t.Helper()
	contact["practice_id"], contact["first_name"] = w.practice, "Eve"
	w.insert("client_contacts", row{"client_id": client, "contact_id": w.insert("contacts", contact), "receives_reminders": true})
}
