package sweep_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/internal/schedule"
	"rappel/internal/zoneinfo"
	"rappel/jobs/plan"
	"rappel/jobs/sweep"
	"rappel/recipients"
)

// A year in the life of one practice, every minute of it swept. What goes out
// is compared with what an oracle says, which knows section 2 of the semantics
// and nothing of internal/schedule: it reads clocks minute by minute, and
// counts. Whether a message that waits is still wanted when its time has come
// is the matter of jobs/deliver; here both sides have the same ledger do that.

func TestAYearOfOnePracticeAsAnOracleSaysIt(t *testing.T) {
	t.Parallel()
	clocks := readClocks(t)
	for name, c := range map[string]practiceOfTheYear{
		"SMS by day, late bookings are skipped":             {opens: 8 * 60, closes: 21 * 60, visits: 4, seed: 20260901},
		"SMS across midnight, late bookings have the grace": {opens: 22 * 60, closes: 6 * 60, grace: true, visits: 2, seed: 20270314},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", c.seed)
			y := newYear(c, clocks)
			product, oracle := y.live(t)
			if len(oracle) < 4*len(y.visits) {
				t.Errorf("%d messages about %d visits are too few to tell anything", len(oracle), len(y.visits))
			}
			if diff := differences(oracle, product); diff != "" {
				t.Errorf("(-oracle +product):\n%s", diff)
			}
		})
	}
}

// differences lists the sentences that only one side says, in order of time.
func differences(want, got []string) string {
	said := map[string]int{}
	for _, s := range want {
		said[s]++
	}
	for _, s := range got {
		said[s]--
	}
	var lines []string
	for s, n := range said {
		for ; n > 0; n-- {
			lines = append(lines, s+" -")
		}
		for ; n < 0; n++ {
			lines = append(lines, s+" +")
		}
	}
	slices.Sort(lines)
	for i, s := range lines {
		lines[i] = s[len(s)-1:] + " " + s[:len(s)-2]
	}
	const most = 40
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… and %d more", len(lines)-most))
	}
	return strings.Join(lines, "\n")
}

// # The practice and its year

// A minute is counted from 1970, in UTC. All that happens in the year happens
// on a full minute.
type minute int

const (
	hours minute = 60
	days         = 24 * hours
)

func (m minute) time() time.Time { return time.Unix(int64(m)*60, 0).UTC() }

func minuteOf(t time.Time) minute { return minute(t.Unix() / 60) }

func firstMinute() minute { return minuteOf(time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC)) }

func lastMinute() minute { return minuteOf(time.Date(2027, time.September, 1, 0, 0, 0, 0, time.UTC)) }

const (
	newYork    = "America/New_York" // the practice is there
	losAngeles = "America/Los_Angeles"
	berlin     = "Europe/Berlin"
	lordHowe   = "Australia/Lord_Howe" // moves its clocks by half an hour
)

// practiceOfTheYear is what a practice chose.
type practiceOfTheYear struct {
	opens, closes minute // of the day
	grace         bool
	visits        int // a week, or one more
	seed          uint64
}

// A rule speaks some minutes or days away from its anchor.
type rule struct {
	id     string
	kind   kind.Kind
	anchor schedule.Anchor
	offset minute
	inDays bool
	clock  minute // of the day; ownTime: the anchor's
	saved  minute
}

const ownTime minute = -1

func theRules() []rule {
	saved := firstMinute() - 30*days
	return []rule{
		{"24h", kind.Reminder, schedule.AnchorStart, -24 * hours, false, ownTime, saved},
		{"1d", kind.Reminder, schedule.AnchorStart, -1, true, ownTime, saved},
		{"1d at 17", kind.Reminder, schedule.AnchorStart, -1, true, 17 * hours, saved},
		{"2h", kind.Reminder, schedule.AnchorStart, -2 * hours, false, ownTime, saved},
		{"3d at 10", kind.Scheduled, schedule.AnchorStart, -3, true, 10 * hours, saved},
		{"1h after", kind.Scheduled, schedule.AnchorEnd, 1 * hours, false, ownTime, saved},
		{"booked", kind.Scheduled, schedule.AnchorBooked, 30, false, ownTime, saved},
	}
}

// A person is told about a visit; an empty zone is the practice's.
type person struct {
	role      recipients.Role
	zone      string
	scheduled bool // wants scheduled messages as well as reminders
}

// A family is a client and perhaps a contact, told as the client prefers.
type family struct {
	method  string
	persons []person
}

func theFamilies() []family {
	const client, contact = recipients.RoleClient, recipients.RoleContact
	return []family{
		{"both", []person{{client, "", true}, {contact, losAngeles, true}}},
		{"sms", []person{{client, "", true}}},
		{"email", []person{{client, "", true}, {contact, berlin, false}}},
		{"sms", []person{{client, losAngeles, true}, {contact, "", true}}},
		{"both", []person{{client, berlin, true}}},
		{"sms", []person{{client, "", true}, {contact, lordHowe, false}}},
	}
}

// A visit as it stands; an empty zone is the practice's.
type visit struct {
	no            int
	zone          string
	start, length minute
	booked, set   minute // since when the visit, and this start, is known
	status        schedule.Status
	family        family
	byVideo       bool
}

// A happening is what a visit or a rule looks like from some minute on, which
// is that in which its transaction was committed.
type happening struct {
	at    minute
	visit *visit
	rule  *rule
}

// An outage is a time without sweeps: from, and before until.
type outage struct{ from, until minute }

// A year is all that happens in it, and how things stand in the present minute.
type year struct {
	practice practiceOfTheYear

	clocks  clocks
	random  *rand.Rand
	ahead   []happening
	outages []outage

	rules  []rule
	visits map[int]visit
	open   []int // the visits that are not long over
}

func newYear(p practiceOfTheYear, c clocks) *year {
	y := &year{
		practice: p, clocks: c, random: rand.New(rand.NewPCG(p.seed, 0)),
		rules: theRules(), visits: map[int]visit{},
	}
	no := 0
	book := func(start minute, zone string) {
		no++
		y.plan(no, start, zone)
	}
	for week := firstMinute(); week < lastMinute(); week += 7 * days {
		for range p.visits + y.random.IntN(2) {
			zone := []string{"", "", "", "", berlin, lordHowe}[y.random.IntN(6)]
			day := week.time().AddDate(0, 0, y.random.IntN(7))
			quarter := 6*4 + y.random.IntN(16*4) // from 06:00 to 21:45
			book(localMinute(day, quarter*15, zone, c), zone)
		}
	}
	for _, night := range nightsOfTheYear() {
		book(localMinute(night.day, 10*60, night.zone, c), night.zone)
		for _, m := range []int{75, 105, 120, 135, 165} {
			book(localMinute(night.day.AddDate(0, 0, 1), m, night.zone, c), night.zone)
		}
	}
	y.edit()
	y.breakDown()
	slices.SortStableFunc(y.ahead, func(a, b happening) int { return cmp.Compare(a.at, b.at) })
	return y
}

type night struct {
	zone string
	day  time.Time
}

// nightsOfTheYear are those in which somebody's clocks change. A visit on the
// day after, at two in the morning, is due at a time that is missing or doubled.
func nightsOfTheYear() []night {
	on := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	return []night{
		{"", on(2026, time.November, 1)},
		{"", on(2027, time.March, 14)},
		{berlin, on(2026, time.October, 25)},
		{berlin, on(2027, time.March, 28)},
		{lordHowe, on(2026, time.October, 4)},
		{lordHowe, on(2027, time.April, 4)},
	}
}

func localMinute(day time.Time, clock int, zone string, c clocks) minute {
	y, m, d := day.Date()
	return minuteOf(time.Date(y, m, d, 0, clock, 0, 0, c.of(zone).location))
}

// chance is true in so many of a hundred cases.
func (y *year) chance(percent int) bool { return y.random.IntN(100) < percent }

// between draws a minute from least to before most.
func (y *year) between(least, most minute) minute {
	return least + minute(y.random.IntN(max(1, int(most-least))))
}

// plan draws the life of a visit.
func (y *year) plan(no int, start minute, zone string) {
	families := theFamilies()
	v := visit{
		no: no, zone: zone, start: start, length: 50, status: schedule.StatusScheduled,
		family: families[y.random.IntN(len(families))], byVideo: y.chance(25),
	}
	v.booked = start - y.lead()
	v.set = v.booked
	if y.chance(5) {
		v.status = schedule.StatusRequested
	}
	seen := y.commit(v, v.booked, 0)
	if v.status == schedule.StatusRequested {
		v.status = schedule.StatusScheduled
		seen = y.commit(v, y.between(v.booked+2, max(start, v.booked+3)), seen)
	}
	switch fate := y.random.IntN(100); {
	case fate < 15:
		y.move(&v, &seen, y.elsewhere(v, seen))
	case fate < 30:
		y.move(&v, &seen, y.elsewhere(v, seen))
		y.move(&v, &seen, start)
	case fate < 35:
		y.move(&v, &seen, y.elsewhere(v, seen))
		y.move(&v, &seen, y.elsewhere(v, seen))
	}
	if y.chance(12) {
		v.status = schedule.StatusCancelled
		y.commit(v, y.soon(v, seen), seen)
		return
	}
	after := []schedule.Status{schedule.StatusScheduled, schedule.StatusArrived, schedule.StatusCompleted, schedule.StatusMissed}
	v.status = after[y.random.IntN(len(after))]
	y.commit(v, y.between(v.start+5, v.start+v.length+50), seen)
}

// lead draws how long before the start the visit is booked: often to the very
// minute on which something depends, and sometimes after the start.
func (y *year) lead() minute {
	edges := []minute{24 * hours, 16 * hours, 3 * hours, 2 * hours, 80, 120 - 30, 30}
	switch {
	case y.chance(50):
		return y.between(3*days, 14*days)
	case y.chance(40):
		return y.between(-20, 72*hours)
	}
	return edges[y.random.IntN(len(edges))] + y.between(-1, 2)
}

// commit has the visit stand as v, changed at some minute, once its transaction
// is committed: mostly at once, sometimes minutes later. It returns when.
func (y *year) commit(v visit, at, notBefore minute) (seen minute) {
	seen = max(at, notBefore)
	if y.chance(20) {
		seen = max(at+y.between(1, 10), notBefore)
	}
	y.ahead = append(y.ahead, happening{at: seen, visit: &v})
	return seen
}

// soon draws a minute before v starts, often near the start.
func (y *year) soon(v visit, seen minute) minute {
	if y.chance(60) {
		return y.between(max(seen+2, v.start-30*hours), v.start)
	}
	return y.between(seen+2, v.start)
}

// elsewhere draws another start, after what has happened so far.
func (y *year) elsewhere(v visit, seen minute) minute {
	return y.between(max(seen, v.start-2*days), v.start+7*days)/15*15 + 15
}

func (y *year) move(v *visit, seen *minute, start minute) {
	v.set = y.soon(*v, *seen)
	v.start = start
	*seen = y.commit(*v, v.set, *seen)
}

// edit has some rules saved anew, with or without another offset.
func (y *year) edit() {
	rules := theRules()
	for at := firstMinute(); at < lastMinute(); at += 21 * days {
		r := rules[y.random.IntN(len(rules))]
		r.saved = y.between(at, at+21*days)
		switch {
		case r.id == "2h" && y.chance(70):
			r.offset = -3 * hours
		case r.id == "1d at 17" && y.chance(70):
			r.clock = 20*hours + 59
		}
		y.ahead = append(y.ahead, happening{at: r.saved + y.between(0, 5), rule: &r})
	}
}

// breakDown stops the sweeps for 30 hours and for five minutes, several times,
// among them the first night of the year.
func (y *year) breakDown() {
	nightly := minuteOf(time.Date(2026, time.October, 31, 22, 0, 0, 0, time.UTC))
	y.outages = append(y.outages, outage{nightly, nightly + 30*hours})
	for at := firstMinute(); at < lastMinute(); at += 28 * days {
		long, short := y.between(at, at+26*days), y.between(at, at+26*days)
		y.outages = append(y.outages, outage{long, long + 30*hours}, outage{short, short + 5})
	}
}

func (y *year) swept(now minute) bool {
	return !slices.ContainsFunc(y.outages, func(o outage) bool { return o.from <= now && now < o.until })
}

// live lets the year pass, and returns what goes out by the one and the other.
func (y *year) live(t *testing.T) (product, oracle []string) {
	t.Helper()
	store, seer := newYearStore(y), newOracle(y)
	present := firstMinute() - 15*days
	sweeper := &sweep.Sweeper{Store: store, Planner: store, Now: func() time.Time { return present.time() }}
	for now := present; now < lastMinute(); now++ {
		present = now
		if y.proceed(now) {
			store.refresh()
			seer.refresh()
		}
		if y.swept(now) {
			if _, err := sweeper.Sweep(t.Context(), now.time()); err != nil {
				t.Fatal(err)
			}
			seer.sweep(now)
		}
		store.send(now, y.visits)
		seer.send(now, y.visits)
	}
	return store.gone, seer.gone
}

// proceed lets happen what happens by now; it tells whether anything did.
func (y *year) proceed(now minute) (happened bool) {
	for ; len(y.ahead) > 0 && y.ahead[0].at <= now; y.ahead = y.ahead[1:] {
		happened = true
		h := y.ahead[0]
		switch {
		case h.visit != nil:
			y.visits[h.visit.no] = *h.visit
			if !slices.Contains(y.open, h.visit.no) {
				y.open = append(y.open, h.visit.no)
			}
		case h.rule != nil:
			i := slices.IndexFunc(y.rules, func(r rule) bool { return r.id == h.rule.id })
			y.rules[i] = *h.rule
		}
	}
	if happened {
		y.open = slices.DeleteFunc(y.open, func(no int) bool { return y.visits[no].start+2*days < now })
	}
	return happened
}

// # The ledger

// A matter is decided once.
type matter struct {
	visit int
	rule  string
	start minute
}

// A message waits in the ledger until its minute has come.
type message struct {
	matter

	to         recipients.Role
	by         recipients.Channel
	at         minute
	afterwards bool // about a visit that is over
}

func (m message) String() string {
	const utc = "2006-01-02T15:04Z"
	return fmt.Sprintf("%s %s to %s of visit %d at %s by rule %s",
		m.at.time().Format(utc), m.by, m.to, m.visit, m.start.time().Format(utc), m.rule)
}

type ledger struct {
	decided map[matter]bool
	waiting []message
	gone    []string
}

// send lets go what may go by now. What was cancelled or moved is dropped.
func (l *ledger) send(now minute, visits map[int]visit) {
	l.waiting = slices.DeleteFunc(l.waiting, func(m message) bool {
		if m.at > now {
			return false
		}
		if v := visits[m.visit]; v.start == m.start && speakable(v.status, m.afterwards) {
			l.gone = append(l.gone, m.String())
		}
		return true
	})
}

// speakable tells whether a visit of that status is spoken of, before and after it.
func speakable(s schedule.Status, afterwards bool) bool {
	if s == schedule.StatusArrived || s == schedule.StatusCompleted {
		return afterwards
	}
	return s == schedule.StatusScheduled || s == schedule.StatusConfirmed
}

// # The product

// A yearStore is the sweep's store and planner, in memory.
type yearStore struct {
	ledger

	year      *year
	mark      time.Time
	rules     []plan.Rule
	zones     *zoneinfo.Data
	addresses recipients.Addresses
	rows      []yearRow
}

// A yearRow is one visit as a database would have it.
type yearRow struct {
	no         int
	start, set minute
	snapshot   *practice.Snapshot
	visit      schedule.Visit
	due        []minute // one a rule, to find fast what is near
}

func newYearStore(y *year) *yearStore {
	return &yearStore{year: y, zones: zoneinfo.Embedded(), ledger: ledger{decided: map[matter]bool{}}}
}

func (s *yearStore) Mark(context.Context) (time.Time, error) { return s.mark, nil }

func (s *yearStore) Advance(_ context.Context, t, _ time.Time) error {
	s.mark = t
	return nil
}

func (s *yearStore) Find(_ context.Context, span sweep.Span, yield func(sweep.Found)) error {
	const ahead = minute(schedule.MaxAdvance / time.Minute)
	from, to := minuteOf(span.From), minuteOf(span.To)
	for _, row := range s.rows {
		fresh := row.set > from
		for i, r := range s.rules {
			near := row.due[i] > from && row.due[i] < to+ahead
			if (near || fresh) && !s.decided[matter{row.no, r.ID, row.start}] {
				yield(sweep.Found{
					Rule: r, AppointmentID: strconv.Itoa(row.no), Visit: row.visit, Window: row.snapshot.Practice.SMSWindow,
				})
			}
		}
	}
	return nil
}

func (s *yearStore) Rules(_ context.Context, due []plan.Due, now, upTo time.Time) (made int, err error) {
	for _, d := range due {
		i := slices.IndexFunc(s.rows, func(r yearRow) bool { return strconv.Itoa(r.no) == d.AppointmentID })
		if decision, ok := plan.DecideRule(d.Rule, s.rows[i].snapshot, now, upTo); ok {
			s.keep(matter{s.rows[i].no, d.Rule.ID, s.rows[i].start}, decision, d.Rule.Anchor == schedule.AnchorEnd)
			made++
		}
	}
	return made, nil
}

func (s *yearStore) keep(m matter, d plan.Decision, afterwards bool) {
	if s.decided[m] {
		return
	}
	s.decided[m] = true
	for _, n := range d.Notifications {
		to := recipients.RoleClient
		if n.ContactID != "" {
			to = recipients.RoleContact
		}
		at := minuteOf(n.NotBefore.Add(time.Minute - time.Nanosecond))
		s.waiting = append(s.waiting, message{m, to, n.Channel, max(at, minuteOf(d.DecidedAt)), afterwards})
	}
}

// refresh reads visits and rules anew.
func (s *yearStore) refresh() {
	s.rules = nil
	var siblings []schedule.Rule
	for _, r := range s.year.rules {
		siblings = append(siblings, r.asTheProductHasIt())
	}
	for _, r := range siblings {
		s.rules = append(s.rules, plan.Rule{Rule: r, Template: "t", Siblings: siblings})
	}
	s.rows = nil
	for _, no := range s.year.open {
		s.rows = append(s.rows, s.row(s.year.visits[no]))
	}
}

func (s *yearStore) row(v visit) yearRow {
	snapshot := s.snapshot(v)
	row := yearRow{no: v.no, start: v.start, set: v.set, snapshot: snapshot}
	row.visit, _ = snapshot.Visit()
	for _, r := range s.rules {
		row.due = append(row.due, minuteOf(r.Due(row.visit)))
	}
	return row
}

func (r rule) asTheProductHasIt() schedule.Rule {
	offset := int(r.offset)
	is := schedule.Rule{ID: r.id, Kind: r.kind, Anchor: r.anchor, SavedAt: r.saved.time()}
	if !r.inDays {
		is.Minutes = &offset
		return is
	}
	is.Days = &offset
	if r.clock != ownTime {
		is.At = clockAt(r.clock)
	}
	return is
}

func clockAt(m minute) *schedule.Clock {
	return &schedule.Clock{Hour: int(m / hours), Minute: int(m % hours)}
}

func (s *yearStore) snapshot(v visit) *practice.Snapshot {
	late := "skip"
	if s.year.practice.grace {
		late = schedule.Grace
	}
	is := &practice.Snapshot{
		Zones: s.zones, Addresses: &s.addresses,
		Practice: practice.Practice{
			ID: "p", TimeZone: newYork, Country: "US", Active: true, LateBooking: late,
			SMSWindow: schedule.Window{Opens: clockAt(s.year.practice.opens), Closes: clockAt(s.year.practice.closes)},
		},
		Appointment: &practice.Appointment{
			ID: strconv.Itoa(v.no), TimeZone: v.zone, Status: v.status, Notify: true,
			StartsAt: v.start.time(), EndsAt: (v.start + v.length).time(), BookedAt: v.booked.time(), StartSetAt: v.set.time(),
		},
	}
	if v.byVideo {
		is.Appointment.TelehealthURL = "https://video.example/v"
	}
	for _, p := range v.family.persons {
		if p.role == recipients.RoleClient {
			is.Client = recipients.Client{
				ID: "client", Email: "client@example.com", Phone: "+12015550101", Method: v.family.method, TimeZone: p.zone,
				ReceivesReminders: true, ReceivesScheduled: p.scheduled,
			}
			continue
		}
		is.Contacts = append(is.Contacts, recipients.Contact{
			ID: "contact", Email: "contact@example.com", Phone: "+12015550102", TimeZone: p.zone,
			ReceivesReminders: true, ReceivesScheduled: p.scheduled,
		})
	}
	return is
}

// # The oracle

// A reading is what a zone's clocks show in each minute from the first to the
// last one of the clocks.
type reading struct {
	location *time.Location
	first    minute
	shows    []minute // as if it were UTC
}

// clocks are those of every zone, in the year and some weeks around it.
type clocks map[string]reading

func readClocks(t *testing.T) clocks {
	t.Helper()
	c := clocks{}
	for _, name := range []string{newYork, losAngeles, berlin, lordHowe} {
		zone, ok := zoneinfo.Embedded().Load(name)
		if !ok {
			t.Fatalf("no zone %s", name)
		}
		r := reading{location: zone, first: firstMinute() - 20*days}
		for m := r.first; m < lastMinute()+30*days; m++ {
			y, month, d := m.time().In(zone).Date()
			h, past, _ := m.time().In(zone).Clock()
			r.shows = append(r.shows, minuteOf(time.Date(y, month, d, h, past, 0, 0, time.UTC)))
		}
		c[name] = r
	}
	return c
}

func (c clocks) of(zone string) reading { return c[cmp.Or(zone, newYork)] }

// at is what the clocks show in minute m.
func (r reading) at(m minute) minute { return r.shows[m-r.first] }

// firstShowing is the first minute after some other in which the clocks show
// that. Where they skip it, it is counted on from the minute before the gap.
func (r reading) firstShowing(that, after minute) minute {
	for m := after; ; m++ {
		switch before, now := r.at(m), r.at(m+1); {
		case now == that:
			return m + 1
		case before < that && that < now:
			return m + (that - before)
		}
	}
}

// An oracle says what goes out, by the definitions.
type oracle struct {
	ledger

	year    *year
	look    map[matter]minute   // nothing can happen before
	counted map[counting]minute // what due has found out
}

// A counting of days on the calendar of a zone.
type counting struct {
	anchor, offset, clock minute
	zone                  string
}

func newOracle(y *year) *oracle {
	return &oracle{year: y, ledger: ledger{decided: map[matter]bool{}}, counted: map[counting]minute{}}
}

// due is by the rule alone: minutes are exact, days are those of the calendar
// where the visit is.
func (o *oracle) due(r rule, v visit) minute {
	anchor := v.start
	switch r.anchor {
	case schedule.AnchorStart:
	case schedule.AnchorEnd:
		anchor += v.length
	case schedule.AnchorBooked:
		anchor = v.booked
	}
	if !r.inDays {
		return anchor + r.offset
	}
	c := counting{anchor, r.offset, r.clock, v.zone}
	if _, ok := o.counted[c]; !ok {
		o.counted[c] = o.count(c)
	}
	return o.counted[c]
}

func (o *oracle) count(c counting) minute {
	clocks := o.year.clocks.of(c.zone)
	shown := clocks.at(c.anchor)
	clock := c.clock
	if clock == ownTime {
		clock = shown % days
	}
	day := shown/days + c.offset
	return clocks.firstShowing(day*days+clock, c.anchor+c.offset*days-2*days)
}

// isOpen tells whether an SMS may arrive in minute m: from the opening until
// before the closing minute.
func (o *oracle) isOpen(m minute, clocks reading) bool {
	clock := clocks.at(m) % days
	if o.year.practice.opens < o.year.practice.closes {
		return o.year.practice.opens <= clock && clock < o.year.practice.closes
	}
	return o.year.practice.opens <= clock || clock < o.year.practice.closes
}

// inWindow is when an SMS goes that should leave in some minute, about what is
// known since another, and is of use until last.
func (o *oracle) inWindow(leaves, known, last minute, afterwards bool, clocks reading) (minute, bool) {
	if o.isOpen(leaves, clocks) {
		return leaves, true
	}
	opening := leaves
	for !o.isOpen(opening, clocks) {
		opening++
	}
	if afterwards {
		return opening, opening <= last
	}
	if opening <= last-60 {
		return opening, true
	}
	closing := leaves
	for !o.isOpen(closing-1, clocks) {
		closing--
	}
	advance := max(closing-30, known)
	return advance, advance < closing
}

// concerns tells whether the rule has anything to say about the visit: not if
// it was saved only after that, nor again if it counts from the booking, said
// it, and the visit was moved since.
func (o *oracle) concerns(r rule, v visit) bool {
	due := o.due(r, v)
	if r.anchor == schedule.AnchorBooked {
		return r.saved <= due && (v.set == v.booked || v.set <= due)
	}
	return r.saved <= due || r.saved <= v.set
}

// alone is when the message for one person goes, seen at now, if there were no
// other rule; false if it does not.
func (o *oracle) alone(r rule, v visit, p person, by recipients.Channel, now minute) (minute, bool) {
	afterwards := r.anchor == schedule.AnchorEnd
	due := o.due(r, v)
	leaves, last := due, v.start
	if afterwards {
		last = due + 24*hours
	}
	if late := r.anchor != schedule.AnchorBooked && v.set > due; late {
		leaves = v.set
		twoThirdsLeft := 3*(v.start-v.set) >= 2*(v.start-due)
		if afterwards || !o.year.practice.grace || !twoThirdsLeft {
			return 0, false
		}
	}
	if !o.concerns(r, v) || !speakable(v.status, afterwards) || leaves > last || now > last {
		return 0, false
	}
	if by == recipients.Email {
		return leaves, true
	}
	clocks := o.year.clocks.of(p.zone)
	at, ok := o.inWindow(leaves, max(v.set, r.saved), last, afterwards, clocks)
	if ok && at < now && !o.isOpen(now, clocks) { // held up until it is too late for today
		at, ok = o.inWindow(now, now, last, afterwards, clocks)
	}
	return at, ok
}

// outrun tells whether another reminder, nearer to the start, goes by the time
// this one would. Of two that are due in one minute the lower id goes.
func (o *oracle) outrun(r rule, v visit, p person, by recipients.Channel, at, now minute) bool {
	if r.anchor != schedule.AnchorStart {
		return false
	}
	return slices.ContainsFunc(o.year.rules, func(s rule) bool {
		if s.id == r.id || s.kind != r.kind || s.anchor != r.anchor {
			return false
		}
		mine, theirs := o.due(r, v), o.due(s, v)
		if theirs < mine || (theirs == mine && s.id > r.id) {
			return false
		}
		goes, ok := o.alone(s, v, p, by, now)
		return ok && goes <= max(at, now)
	})
}

// told calls yield for each person and channel that r speaks to.
func told(r rule, v visit, yield func(person, recipients.Channel)) {
	for _, p := range v.family.persons {
		if r.kind == kind.Scheduled && !p.scheduled {
			continue
		}
		if v.family.method != "email" {
			yield(p, recipients.SMS)
		}
		if v.family.method != "sms" {
			yield(p, recipients.Email)
		}
	}
}

// refresh notes when each matter is worth a look: when it is due, or if
// somebody's message is to go before that, then.
func (o *oracle) refresh() {
	o.look = map[matter]minute{}
	for _, no := range o.year.open {
		v := o.year.visits[no]
		for _, r := range o.year.rules {
			m := matter{v.no, r.id, v.start}
			if o.decided[m] || !o.concerns(r, v) {
				continue
			}
			look := o.due(r, v)
			told(r, v, func(p person, by recipients.Channel) {
				if at, ok := o.alone(r, v, p, by, 0); ok {
					look = min(look, at)
				}
			})
			o.look[m] = look
		}
	}
}

func (o *oracle) sweep(now minute) {
	for m, look := range o.look {
		if now >= look {
			o.decide(m, now)
		}
	}
}

// decide settles a matter for everybody, once it is due or somebody's message
// is to go before that.
func (o *oracle) decide(m matter, now minute) {
	v := o.year.visits[m.visit]
	r := o.year.rules[slices.IndexFunc(o.year.rules, func(r rule) bool { return r.id == m.rule })]
	ripe := o.due(r, v) <= now
	var out []message
	told(r, v, func(p person, by recipients.Channel) {
		at, ok := o.alone(r, v, p, by, now)
		if !ok || o.outrun(r, v, p, by, at, now) {
			return
		}
		ripe = ripe || at <= now
		out = append(out, message{m, p.role, by, max(at, now), r.anchor == schedule.AnchorEnd})
	})
	if ripe {
		delete(o.look, m)
		o.decided[m] = true
		o.waiting = append(o.waiting, out...)
	}
}
