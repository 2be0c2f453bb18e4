package sweep

import (
	"slices"
	"time"

	"rappel/internal/schedule"
)

// A Zone is a time zone as rows name it.
type Zone struct {
	Name     string
	Location *time.Location // nil: there is none of that name
}

// Habits are what practices have in common, each once: there are few of them,
// however many practices there are.
type Habits struct {
	Offsets    []schedule.Rule // anchor and offset of active rules
	Windows    []schedule.Window
	Practices  []Zone // zones of practices
	Digests    []Zone // of those with family digests
	Recipients []Zone // own zones of clients and contacts
	Visits     []Zone // own zones of appointments
	AnyVisits  bool   // Visits is not known: appointments may be in any zone
}

// A Look is a range of anchors to be looked through for appointments whose rules
// with one offset may have something to say. What else is set narrows it down:
// whoever looks may leave that out, and finds more.
type Look struct {
	Offset schedule.Rule // anchor and offset; nothing else
	schedule.Range

	Zones   []string        // of the appointment or its practice; none: any
	Foreign bool            // only appointments in a zone that is not their practice's
	Window  schedule.Window // only practices with this; none: any
	Told    []string        // only practices in these zones, or
	Abroad  []string        // where somebody has one of these for their own; neither: any
	Digest  bool            // only practices with family digests
}

// Looks says where to look for what is due in span: for what falls due in it,
// for what is then to leave in advance of closed hours, and for what may go with
// others of its hour. What was booked or moved in span comes beside it.
//
// In advance is only looked in the half hour before a closing, when such
// messages leave: before that there is nothing to decide, and after it is too
// late. So what it takes to look follows what is due, and not what is stored.
func Looks(span Span, h Habits) []Look {
	var all []Look
	for _, r := range h.Offsets {
		l := looker{habits: h, rule: r}
		l.add(schedule.Range{After: span.From, Until: span.To}, Look{})
		l.inAdvance(span.To, span.To, Look{})
		for _, z := range h.Digests {
			if until := horizon(span.To, z.Location); until.After(span.To) {
				l.add(schedule.Range{After: span.To, Until: until}, Look{Digest: true})
				l.inAdvance(span.To, until, Look{Digest: true})
			}
		}
		all = append(all, l.looks...)
	}
	return all
}

// Wide says where to look for all that falls due in span, or is to leave in it in
// advance, whatever zones and windows there are: for a span of days, which the
// half hour before each closing in it would not make less.
func Wide(span Span, offsets []schedule.Rule) []Look {
	var all []Look
	for _, r := range offsets {
		least, most := r.Reach()
		all = append(all, Look{Offset: r, Range: schedule.Range{
			After: span.From.Add(-most), Until: span.To.Add(schedule.MaxAdvance - least),
		}})
	}
	return all
}

// A looker collects the looks for one offset.
type looker struct {
	habits Habits
	rule   schedule.Rule
	looks  []Look
}

// inAdvance looks for what leaves by until because hours are closed when it is
// due, for somebody in any zone.
func (l *looker) inAdvance(at, until time.Time, where Look) {
	for _, w := range l.habits.Windows {
		where.Window = w
		for _, z := range l.habits.Practices {
			where.Told, where.Abroad = []string{z.Name}, nil
			l.closed(at, until, z, where)
		}
		for _, z := range l.habits.Recipients {
			where.Told, where.Abroad = nil, []string{z.Name}
			l.closed(at, until, z, where)
		}
	}
}

func (l *looker) closed(at, until time.Time, z Zone, where Look) {
	if z.Location == nil {
		return // there nothing leaves, and somewhere else the practice's zone counts
	}
	for _, closed := range where.Window.Closed(at, until, z.Location) {
		if due, ok := l.rule.Ahead(closed); ok {
			l.add(due, where)
		}
	}
}

// add looks for what is due in a range.
func (l *looker) add(due schedule.Range, where Look) {
	if !l.rule.OnCalendar() {
		l.put(l.rule.Anchors(due, nil), where)
		return
	}
	for _, z := range slices.Concat(l.habits.Practices, l.habits.Visits) {
		if l.rule.At != nil { // else all zones agree, but in two nights of the year
			where.Zones = []string{z.Name}
		}
		l.put(l.rule.Anchors(due, z.Location), where)
	}
	if l.habits.AnyVisits {
		least, most := l.rule.Reach()
		where.Zones, where.Foreign = nil, true
		l.put([]schedule.Range{{After: due.After.Add(-most), Until: due.Until.Add(-least)}}, where)
	}
}

// put notes looks. Those through the same range are one.
func (l *looker) put(anchors []schedule.Range, where Look) {
	where.Offset = l.rule
	for _, r := range anchors {
		where.Range = r
		i := slices.IndexFunc(l.looks, func(o Look) bool { return o.sees(&where) })
		if i < 0 {
			l.looks = append(l.looks, where)
			continue
		}
		o := &l.looks[i]
		o.Zones, o.Told, o.Abroad = union(o.Zones, where.Zones), union(o.Told, where.Told), union(o.Abroad, where.Abroad)
	}
}

// sees tells whether l goes through the same range as o for the same reason.
func (l *Look) sees(o *Look) bool {
	anywhere := func(l *Look) bool { return len(l.Told)+len(l.Abroad) == 0 }
	return l.After.Equal(o.After) && l.Until.Equal(o.Until) && l.Foreign == o.Foreign && l.Digest == o.Digest &&
		l.Window == o.Window && (l.Zones == nil) == (o.Zones == nil) && anywhere(l) == anywhere(o)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
