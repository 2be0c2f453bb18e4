package schedule_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
)

// A simulated week. A practice has a few rules and some visits, which are
// booked, moved, cancelled and moved back. One scheduler sweeps each minute,
// another only now and then; both remember what they decided, as the store
// does, and nothing else.

const week = 7 * 24 * time.Hour

// A change is what a visit looks like from some moment on.
type change struct {
	at    time.Time
	visit schedule.Visit
}

// A world is all that happens in the week.
type world struct {
	policy  schedule.Policy
	rules   []schedule.Rule
	windows []schedule.Window // one a channel: e-mail has none
	zones   []*time.Location  // of the recipients, one a visit
	visits  [][]change
}

// A matter is what is decided once.
type matter struct {
	visit, rule, channel int
	starts               int64
}

// A sent message.
type sent struct {
	matter

	at time.Time
}

// A scheduler remembers what it decided, and until when a visit needs no look.
type scheduler struct {
	world   *world
	decided map[matter]bool
	idle    []time.Time
	out     []sent
}

func newScheduler(w *world) *scheduler {
	return &scheduler{world: w, decided: map[matter]bool{}, idle: make([]time.Time, len(w.visits))}
}

// sweep decides all that is ripe at now, the visits in any order.
func (s *scheduler) sweep(now time.Time, order []int) {
	for _, i := range order {
		if now.Before(s.idle[i]) {
			continue
		}
		visit, until := s.world.seen(i, now)
		if !visit.BookedAt.IsZero() {
			until = s.visit(i, visit, now, until)
		}
		s.idle[i] = until
	}
}

// visit decides about one visit; it returns when to look at it again.
func (s *scheduler) visit(i int, visit schedule.Visit, now, until time.Time) time.Time {
	for channel, window := range s.world.windows {
		for rule, r := range s.world.rules {
			m := matter{visit: i, rule: rule, channel: channel, starts: visit.StartsAt.Unix()}
			if at := r.LookAt(visit, window); at.After(now) {
				until = earliest(until, at)
			} else if !s.decide(m, visit, now) {
				until = now
			}
		}
	}
	return until
}

// decide is false as long as the matter must wait.
func (s *scheduler) decide(m matter, visit schedule.Visit, now time.Time) bool {
	if s.decided[m] {
		return true
	}
	timing := s.world.time(m, visit, now)
	if !timing.Applies {
		return true
	}
	if timing.RipeAt().After(now) {
		return false
	}
	s.decided[m] = true
	if !timing.SendAt.IsZero() {
		s.out = append(s.out, sent{matter: m, at: now})
	}
	return true
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (w *world) time(m matter, visit schedule.Visit, now time.Time) schedule.Timing {
	return w.policy.Time(w.rules[m.rule], w.rules, visit, w.windows[m.channel], w.zones[m.visit], now)
}

// seen is what visit i looks like at now, and until when; it is the zero visit
// before the booking.
func (w *world) seen(i int, now time.Time) (visit schedule.Visit, until time.Time) {
	for _, c := range w.visits[i] {
		if c.at.After(now) {
			return visit, c.at
		}
		visit = c.visit
	}
	return visit, now.Add(10 * week)
}

func newWorld(tb rapid.TB, random *rand.Rand) *world {
	tb.Helper()
	w := &world{
		policy:  schedule.Policy{LateBooking: []string{"skip", schedule.Grace}[random.IntN(2)]},
		rules:   weekRules(random),
		windows: []schedule.Window{{}, {Opens: &schedule.Clock{Hour: 8}, Closes: &schedule.Clock{Hour: 21}}},
	}
	zones := []*time.Location{}
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Sydney"} {
		zone, ok := zoneinfo.Embedded().Load(name)
		if !ok {
			tb.Fatalf("no zone %s", name)
		}
		zones = append(zones, zone)
	}
	for range 15 {
		w.zones = append(w.zones, zones[random.IntN(len(zones))])
		w.visits = append(w.visits, life(random, zones[random.IntN(len(zones))]))
	}
	return w
}

// weekRules are some of those that practices have, each at an offset of its own.
func weekRules(random *rand.Rand) []schedule.Rule {
	eight, at := schedule.Clock{Hour: 8}, []int{-30, -2 * 60, -3 * 60, -12 * 60, -20 * 60, -24 * 60, -48 * 60}
	day, after := -1, 60
	rules := []schedule.Rule{
		{ID: "day", Kind: kind.Reminder, Anchor: schedule.AnchorStart, Days: &day, At: &eight},
		{ID: "end", Kind: kind.Scheduled, Anchor: schedule.AnchorEnd, Minutes: &after},
		{ID: "booked", Kind: kind.Scheduled, Anchor: schedule.AnchorBooked, Minutes: &after},
	}
	random.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
	for i := range 2 + random.IntN(3) {
		rules = append(rules, schedule.Rule{ID: strconv.Itoa(at[i]), Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: &at[i]})
	}
	return rules
}

// life books a visit, and then may move, move back or cancel it.
func life(random *rand.Rand, zone *time.Location) []change {
	// The spring change of New York is in this week.
	at := epoch().Add(3 * 24 * time.Hour).Add(minutesOf(random, week*3/4))
	start := func() time.Time {
		return at.Add(minutesOf(random, 60*time.Hour)).Truncate(15 * time.Minute).Add(15 * time.Minute)
	}
	v := schedule.Visit{StartsAt: start(), BookedAt: at, SetAt: at, Zone: zone, Status: schedule.StatusScheduled}
	v.EndsAt = v.StartsAt.Add(50 * time.Minute)
	changes := []change{{at, v}}
	first := v.StartsAt
	for range random.IntN(4) {
		at = at.Add(minutesOf(random, 24*time.Hour))
		switch random.IntN(5) {
		case 0:
			v.Status = schedule.StatusCancelled
		case 1:
			v.StartsAt, v.SetAt = first, at
		case 2, 3:
			v.StartsAt, v.SetAt = start(), at
		}
		v.EndsAt = v.StartsAt.Add(50 * time.Minute)
		changes = append(changes, change{at, v})
	}
	return changes
}

// minutesOf is a random span in whole minutes, shorter than most.
func minutesOf(random *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(most/time.Minute))) * time.Minute
}

func TestAWeekOfSweeps(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 0))
			liveThrough(t, newWorld(t, random), random)
		})
	}
}

func liveThrough(t *testing.T, w *world, random *rand.Rand) {
	t.Helper()
	each, seldom, order := newScheduler(w), newScheduler(w), all(w)
	from := epoch().Add(3 * 24 * time.Hour)
	next := from.Add(minutesOf(random, 48*time.Hour))
	for now := from; now.Before(from.Add(week + 72*time.Hour)); now = now.Add(time.Minute) {
		each.sweep(now, order)
		if !now.Before(next) {
			seldom.sweep(now, order)
			each.covers(t, seldom, now)
			next = now.Add(minutesOf(random, 40*time.Hour))
		}
	}
	if len(each.out) == 0 || len(seldom.out) == 0 {
		t.Error("nothing went at all")
	}
	for _, s := range []*scheduler{each, seldom} {
		s.proper(t)
		s.inOrder(t)
	}
	each.includes(t, seldom)
	each.punctual(t)
}

func all(w *world) []int {
	var order []int
	for i := range w.visits {
		order = append(order, i)
	}
	return order
}

// proper: every message that went is one that may go.
func (s *scheduler) proper(tb rapid.TB) {
	tb.Helper()
	once := map[matter]bool{}
	for _, m := range s.out {
		visit, _ := s.world.seen(m.visit, m.at)
		local := m.at.In(s.world.zones[m.visit])
		switch rule := s.world.rules[m.rule]; {
		case once[m.matter]:
			tb.Errorf("%s went twice, the second time at %s", rule.ID, m.at)
		case visit.Status != schedule.StatusScheduled, visit.StartsAt.Unix() != m.starts:
			tb.Errorf("%s went at %s for a visit that is no more", rule.ID, m.at)
		case rule.Anchor != schedule.AnchorEnd && m.at.After(visit.StartsAt):
			tb.Errorf("%s went at %s, after the start at %s", rule.ID, m.at, visit.StartsAt)
		case s.world.windows[m.channel].Opens != nil && (local.Hour() < 8 || local.Hour() >= 21):
			tb.Errorf("%s went by SMS at %s", rule.ID, local)
		}
		once[m.matter] = true
	}
}

// inOrder: of one visit's reminders none goes with or after a nearer one.
func (s *scheduler) inOrder(tb rapid.TB) {
	tb.Helper()
	for i, m := range s.out {
		for _, n := range s.out[:i] {
			r, q := s.world.rules[m.rule], s.world.rules[n.rule]
			if m.visit != n.visit || m.channel != n.channel || m.starts != n.starts || r.Kind != kind.Reminder || q.Kind != kind.Reminder {
				continue
			}
			visit, _ := s.world.seen(m.visit, m.at)
			switch first, second := q.Due(visit), r.Due(visit); {
			case first.After(second):
				tb.Errorf("%s went at %s, though the nearer %s went at %s", r.ID, m.at, q.ID, n.at)
			case first.Before(second) && n.at.Equal(m.at):
				tb.Errorf("%s and %s both went at %s", r.ID, q.ID, m.at)
			}
		}
	}
}

// includes: what goes when swept seldom also goes when swept each minute.
func (s *scheduler) includes(tb rapid.TB, seldom *scheduler) {
	tb.Helper()
	for _, m := range seldom.out {
		if !slices.ContainsFunc(s.out, func(n sent) bool { return n.matter == m.matter }) {
			tb.Errorf("%s went at %s only because nobody looked before", s.world.rules[m.rule].ID, m.at)
		}
	}
}

// covers: where the one has reminded of a visit to come by e-mail, the other
// has by its next sweep: what is still of use goes late.
func (s *scheduler) covers(tb rapid.TB, seldom *scheduler, now time.Time) {
	tb.Helper()
	for _, m := range s.out {
		visit, _ := s.world.seen(m.visit, now)
		if m.channel != 0 || visit.Status != schedule.StatusScheduled || visit.StartsAt.Unix() != m.starts || now.After(visit.StartsAt) {
			continue
		}
		if visit.SetAt.After(m.at) || s.world.rules[m.rule].Kind != kind.Reminder {
			continue // moved away and back since
		}
		if !slices.ContainsFunc(seldom.out, func(n sent) bool {
			return n.visit == m.visit && n.channel == m.channel && n.starts == m.starts && s.world.rules[n.rule].Kind == kind.Reminder
		}) {
			tb.Errorf("nothing went by %s about the visit that %s reminded of at %s", now, s.world.rules[m.rule].ID, m.at)
		}
	}
}

// punctual: e-mail swept each minute goes in the minute it is due, or at once
// after a late booking that the practice's grace allows.
func (s *scheduler) punctual(tb rapid.TB) {
	tb.Helper()
	for _, m := range s.out {
		visit, _ := s.world.seen(m.visit, m.at)
		want := latest(s.world.rules[m.rule].Due(visit), visit.SetAt)
		if late := m.at.Sub(want); m.channel == 0 && (late < 0 || late >= time.Minute) {
			tb.Errorf("%s went %s after it was due", s.world.rules[m.rule].ID, late)
		}
	}
}

// In which order a sweep comes to the visits and in how many parts it is done
// does not matter.
func TestASweepInParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		whole, parts := newScheduler(w), newScheduler(w)
		for now := epoch(); now.Before(epoch().Add(2 * week)); now = now.Add(drawSpan(t, "pause", time.Hour, 40*time.Hour)) {
			whole.sweep(now, all(w))
			order := rapid.Permutation(all(w)).Draw(t, "order")
			cut := rapid.IntRange(0, len(order)).Draw(t, "cut")
			parts.sweep(now, order[:cut])
			parts.sweep(now, order[cut:])
			parts.sweep(now, order)
		}
		if len(whole.out) != len(parts.out) {
			t.Fatalf("%d messages at once, %d in parts", len(whole.out), len(parts.out))
		}
		whole.includes(t, parts)
		parts.includes(t, whole)
	})
}
