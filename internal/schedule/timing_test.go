package schedule_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/kind"
	"rappel/internal/schedule"
)

// hours makes a rule so many hours before the start, named after them.
func hours(n int) schedule.Rule {
	return minutes(strconv.Itoa(n)+"h", schedule.AnchorStart, -60*n)
}

// A question is what a table asks: one visit in Berlin on Thursday, December
// 10, at 15:00 if nothing else is said, booked long before.
type question struct {
	rule             schedule.Rule
	siblings         []schedule.Rule
	grace            bool
	window           string
	booked, set      string
	saved, starts    string
	status           schedule.Status
	now              string
	want             string // when it goes
	reasons          []schedule.Reason
	doesNotApply     bool
	zoneless, adrift bool // the visit has no zone; the recipient has none
}

func (q question) visit(tb testing.TB) schedule.Visit {
	tb.Helper()
	or := func(s, otherwise string) time.Time {
		if s == "" {
			s = otherwise
		}
		return instant(tb, s)
	}
	v := schedule.Visit{
		StartsAt: or(q.starts, "2026-12-10T15:00:00+01:00"),
		BookedAt: or(q.booked, "2026-12-01T12:00:00+01:00"),
		SetAt:    maybe(tb, q.set),
		Status:   schedule.StatusScheduled,
	}
	v.EndsAt = v.StartsAt.Add(50 * time.Minute)
	v.ServiceName = "Therapy"
	if q.status != "" {
		v.Status = q.status
	}
	if !q.zoneless {
		v.Zone = zoneNamed(tb, "Europe/Berlin")
	}
	return v
}

func (q question) ask(tb testing.TB) schedule.Timing {
	tb.Helper()
	policy := schedule.Policy{LateBooking: "skip"}
	if q.grace {
		policy.LateBooking = "grace"
	}
	zone := zoneNamed(tb, "Europe/Berlin")
	if q.adrift {
		zone = nil
	}
	q.rule.SavedAt = maybe(tb, q.saved)
	return policy.Time(q.rule, q.siblings, q.visit(tb), window(tb, q.window), zone, instant(tb, q.now))
}

func answer(t *testing.T, tests map[string]question) {
	t.Helper()
	for name, q := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := q.ask(t)
			if got.Applies == q.doesNotApply {
				t.Fatalf("applies: %v", got.Applies)
			}
			same(t, "goes", got.SendAt, maybe(t, q.want))
			if diff := cmp.Diff(q.reasons, got.Reasons); diff != "" {
				t.Errorf("reasons (-want +got)\n%s", diff)
			}
		})
	}
}

func because(r ...schedule.Reason) []schedule.Reason { return r }

func TestTimeOfOneRule(t *testing.T) {
	t.Parallel()
	const due = "2026-12-09T15:00:00+01:00"
	dayAfterEnd := days(t, "follow-up", schedule.AnchorEnd, 1, "09:00")
	answer(t, map[string]question{
		"long before: when due":               {rule: hours(24), now: "2026-12-02T12:00:00+01:00", want: due},
		"when due: when due":                  {rule: hours(24), now: due, want: due},
		"late, after an outage: at once":      {rule: hours(24), now: "2026-12-10T11:00:00+01:00", want: due},
		"at the start: still":                 {rule: hours(24), now: "2026-12-10T15:00:00+01:00", want: due},
		"after the start: past":               {rule: hours(24), now: "2026-12-10T15:00:01+01:00", reasons: because(schedule.Past)},
		"due at the start: at the start":      {rule: hours(0), now: "2026-12-02T12:00:00+01:00", want: "2026-12-10T15:00:00+01:00"},
		"due after the start: past":           {rule: hours(-1), now: "2026-12-02T12:00:00+01:00", reasons: because(schedule.Past)},
		"on the day, after its start":         {rule: days(t, "", schedule.AnchorStart, 0, "16:00"), now: "2026-12-02T12:00:00+01:00", reasons: because(schedule.Past)},
		"requested":                           {rule: hours(24), status: schedule.StatusRequested, now: due, reasons: because(schedule.NotConfirmed)},
		"cancelled":                           {rule: hours(24), status: schedule.StatusCancelled, now: due, reasons: because(schedule.Cancelled)},
		"declined":                            {rule: hours(24), status: schedule.StatusDeclined, now: due, reasons: because(schedule.BadStatus)},
		"requested and past":                  {rule: hours(24), status: schedule.StatusRequested, now: "2026-12-11T15:00:00+01:00", reasons: because(schedule.NotConfirmed, schedule.Past)},
		"nor is it, in no zone, ever in time": {rule: minutes("", schedule.AnchorStart, 60), zoneless: true, now: "2026-12-09T15:00:00+01:00", reasons: because(schedule.Past, schedule.BadZone)},
		"the visit has no zone":               {rule: hours(24), zoneless: true, now: due, reasons: because(schedule.BadZone)},
		"cancelled, and has no zone":          {rule: hours(24), zoneless: true, status: schedule.StatusCancelled, now: due, reasons: because(schedule.Cancelled, schedule.BadZone)},
		"an SMS recipient has no zone":        {rule: hours(24), adrift: true, window: "08:00-21:00", now: due, reasons: because(schedule.BadZone)},
		"e-mail needs no recipient's":         {rule: hours(24), adrift: true, now: due, want: due},
		"after the end":                       {rule: dayAfterEnd, now: "2026-12-10T17:00:00+01:00", want: "2026-12-11T09:00:00+01:00"},
		"after the end, when completed":       {rule: dayAfterEnd, status: schedule.StatusCompleted, now: "2026-12-11T09:00:00+01:00", want: "2026-12-11T09:00:00+01:00"},
		"after the end, when missed":          {rule: dayAfterEnd, status: schedule.StatusMissed, now: "2026-12-11T09:00:00+01:00", reasons: because(schedule.BadStatus)},
		"after the end, a day late":           {rule: dayAfterEnd, now: "2026-12-12T09:00:00+01:00", want: "2026-12-11T09:00:00+01:00"},
		"after the end, more than a day":      {rule: dayAfterEnd, now: "2026-12-12T09:00:01+01:00", reasons: because(schedule.Past)},
		"before the end, after the start":     {rule: minutes("", schedule.AnchorEnd, -10), now: "2026-12-10T15:41:00+01:00", want: "2026-12-10T15:40:00+01:00"},
		"after the booking":                   {rule: minutes("", schedule.AnchorBooked, 60), now: "2026-12-01T12:00:00+01:00", want: "2026-12-01T13:00:00+01:00"},
		"after the booking and the start":     {rule: minutes("", schedule.AnchorBooked, 60), booked: "2026-12-10T14:30:00+01:00", now: "2026-12-10T14:30:00+01:00", reasons: because(schedule.Past)},
	})
}

func TestRulesThatAreNotDue(t *testing.T) {
	t.Parallel()
	intake := hours(24)
	intake.ServiceName = "Intake"
	const due, later = "2026-12-09T15:00:00+01:00", "2026-12-09T18:00:00+01:00"
	booked := minutes("", schedule.AnchorBooked, 60)
	answer(t, map[string]question{
		"saved before it was due":         {rule: hours(24), saved: due, now: later, want: due},
		"saved after it was due":          {rule: hours(24), saved: "2026-12-09T15:00:01+01:00", now: later, doesNotApply: true},
		"saved between due and booking":   {rule: hours(24), saved: "2026-12-09T16:00:00+01:00", set: "2026-12-09T17:00:00+01:00", now: later, reasons: because(schedule.LateBooking)},
		"the same, with grace":            {rule: hours(24), grace: true, saved: "2026-12-09T16:00:00+01:00", set: "2026-12-09T17:00:00+01:00", now: later, want: "2026-12-09T17:00:00+01:00"},
		"saved after a late booking":      {rule: hours(24), saved: "2026-12-09T17:30:00+01:00", set: "2026-12-09T17:00:00+01:00", now: later, doesNotApply: true},
		"for another service":             {rule: intake, now: due, doesNotApply: true},
		"an invalid rule":                 {rule: schedule.Rule{Kind: kind.Reminder, Anchor: schedule.AnchorStart}, now: due, doesNotApply: true},
		"after the booking, moved since":  {rule: booked, set: "2026-12-03T12:00:00+01:00", now: "2026-12-03T12:01:00+01:00", doesNotApply: true},
		"after the booking, moved before": {rule: booked, set: "2026-12-01T12:30:00+01:00", now: "2026-12-01T12:30:00+01:00", want: "2026-12-01T13:00:00+01:00"},
		"at the booking, set a blink after": {
			rule: minutes("", schedule.AnchorBooked, 0), set: "2026-12-01T12:00:01+01:00", now: "2026-12-01T12:00:05+01:00", want: "2026-12-01T12:00:00+01:00",
		},
	})
}

func TestLateBooking(t *testing.T) {
	t.Parallel()
	late := because(schedule.LateBooking)
	answer(t, map[string]question{
		"booked at the due time is in time":      {rule: hours(24), booked: "2026-12-09T15:00:00+01:00", now: "2026-12-09T15:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"booked a second later is not":           {rule: hours(24), booked: "2026-12-09T15:00:01+01:00", now: "2026-12-09T15:00:01+01:00", reasons: late},
		"moved after the due time":               {rule: hours(24), set: "2026-12-09T15:30:00+01:00", now: "2026-12-09T16:00:00+01:00", reasons: late},
		"booked after the start was last set":    {rule: hours(24), booked: "2026-12-09T15:30:00+01:00", set: "2026-12-01T12:00:00+01:00", now: "2026-12-09T16:00:00+01:00", reasons: late},
		"grace: 16 of 24 h are two thirds":       {rule: hours(24), grace: true, booked: "2026-12-09T23:00:00+01:00", now: "2026-12-09T23:00:00+01:00", want: "2026-12-09T23:00:00+01:00"},
		"grace: 15:59 are not":                   {rule: hours(24), grace: true, booked: "2026-12-09T23:01:00+01:00", now: "2026-12-09T23:01:00+01:00", reasons: late},
		"grace is counted from the booking":      {rule: hours(24), grace: true, booked: "2026-12-09T22:00:00+01:00", now: "2026-12-10T10:00:00+01:00", want: "2026-12-09T22:00:00+01:00"},
		"grace: 80 of 120 min are two thirds":    {rule: hours(2), grace: true, booked: "2026-12-10T13:40:00+01:00", now: "2026-12-10T13:40:00+01:00", want: "2026-12-10T13:40:00+01:00"},
		"grace: a second less is not":            {rule: hours(2), grace: true, booked: "2026-12-10T13:40:01+01:00", now: "2026-12-10T13:40:01+01:00", reasons: late},
		"grace waits for the window":             {rule: hours(24), grace: true, window: "08:00-21:00", booked: "2026-12-09T22:00:00+01:00", now: "2026-12-09T22:00:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"grace does not outlast the start":       {rule: hours(24), grace: true, booked: "2026-12-09T22:00:00+01:00", now: "2026-12-10T15:00:01+01:00", reasons: because(schedule.Past)},
		"entered after the start":                {rule: hours(24), grace: true, booked: "2026-12-10T16:00:00+01:00", now: "2026-12-10T16:00:00+01:00", reasons: because(schedule.Past, schedule.LateBooking)},
		"requested, and late":                    {rule: hours(24), status: schedule.StatusRequested, booked: "2026-12-10T10:00:00+01:00", now: "2026-12-10T10:00:00+01:00", reasons: because(schedule.NotConfirmed, schedule.LateBooking)},
		"on the booking's day, before its hour":  {rule: days(t, "", schedule.AnchorBooked, 0, "18:00"), now: "2026-12-01T12:00:00+01:00", want: "2026-12-01T18:00:00+01:00"},
		"on the booking's day, after its hour":   {rule: days(t, "", schedule.AnchorBooked, 0, "08:00"), now: "2026-12-01T12:00:00+01:00", reasons: late},
		"entered after what follows the end":     {rule: minutes("", schedule.AnchorEnd, 60), booked: "2026-12-10T18:00:00+01:00", now: "2026-12-10T18:00:00+01:00", reasons: late},
		"which knows no grace":                   {rule: minutes("", schedule.AnchorEnd, 60), grace: true, booked: "2026-12-10T18:00:00+01:00", now: "2026-12-10T18:00:00+01:00", reasons: late},
		"nor does what comes before the end":     {rule: minutes("", schedule.AnchorEnd, -24*60), grace: true, booked: "2026-12-09T16:00:00+01:00", now: "2026-12-09T16:00:00+01:00", reasons: late},
		"entered before what follows the end":    {rule: minutes("", schedule.AnchorEnd, 60), booked: "2026-12-10T16:00:00+01:00", now: "2026-12-10T16:00:00+01:00", want: "2026-12-10T16:50:00+01:00"},
		"scheduled messages know grace as well":  {rule: schedule.Rule{Kind: kind.Scheduled, Anchor: schedule.AnchorStart, Minutes: hours(24).Minutes}, grace: true, booked: "2026-12-09T20:00:00+01:00", now: "2026-12-09T20:00:00+01:00", want: "2026-12-09T20:00:00+01:00"},
		"grace where the nearer one comes later": {rule: hours(24), siblings: []schedule.Rule{hours(24), hours(2)}, grace: true, booked: "2026-12-09T20:00:00+01:00", now: "2026-12-09T20:00:00+01:00", want: "2026-12-09T20:00:00+01:00"},
		"grace for two: not the farther":         {rule: hours(24), siblings: []schedule.Rule{hours(24), hours(20)}, grace: true, booked: "2026-12-09T20:00:00+01:00", now: "2026-12-09T20:00:00+01:00", reasons: late},
		"grace for two: the nearer":              {rule: hours(20), siblings: []schedule.Rule{hours(24), hours(20)}, grace: true, booked: "2026-12-09T20:00:00+01:00", now: "2026-12-09T20:00:00+01:00", want: "2026-12-09T20:00:00+01:00"},
		"no grace for the nearer: the farther": {
			rule: hours(48), siblings: []schedule.Rule{days(t, "", schedule.AnchorStart, -1, "12:00"), hours(48)}, grace: true,
			set: "2026-12-09T00:00:00+01:00", booked: "2026-12-09T00:00:00+01:00", now: "2026-12-09T00:00:00+01:00", want: "2026-12-09T00:00:00+01:00",
		},
	})
}

func TestNeverTwoAtOnce(t *testing.T) {
	t.Parallel()
	three := []schedule.Rule{hours(48), hours(24), hours(2)}
	other := hours(2)
	other.Kind = kind.Scheduled
	intake := hours(2)
	intake.ServiceName = "Intake"
	unsaved := hours(2)
	unsaved.SavedAt = instant(t, "2026-12-10T13:30:00+01:00")
	therapy := hours(24)
	therapy.ID, therapy.ServiceName = "therapy", "Therapy"
	superseded := because(schedule.Superseded)
	answer(t, map[string]question{
		"in time, each goes":                      {rule: hours(24), siblings: three, now: "2026-12-09T15:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"after an outage the farthest does not":   {rule: hours(48), siblings: three, now: "2026-12-10T14:00:00+01:00", reasons: superseded},
		"nor does the one between":                {rule: hours(24), siblings: three, now: "2026-12-10T14:00:00+01:00", reasons: superseded},
		"the nearest goes":                        {rule: hours(2), siblings: three, now: "2026-12-10T14:00:00+01:00", want: "2026-12-10T13:00:00+01:00"},
		"a nearer one still to come holds none":   {rule: hours(24), siblings: three, now: "2026-12-10T12:59:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"a nearer one due just now does":          {rule: hours(24), siblings: three, now: "2026-12-10T13:00:00+01:00", reasons: superseded},
		"another kind does not":                   {rule: hours(24), siblings: []schedule.Rule{other}, now: "2026-12-10T14:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"another service's does not":              {rule: hours(24), siblings: []schedule.Rule{intake}, now: "2026-12-10T14:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"one saved since does not":                {rule: hours(24), siblings: []schedule.Rule{unsaved}, now: "2026-12-10T14:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"an invalid one does not":                 {rule: hours(24), siblings: []schedule.Rule{{Kind: kind.Reminder, Anchor: schedule.AnchorStart}}, now: "2026-12-10T14:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"one counted from the booking does not":   {rule: hours(24), siblings: []schedule.Rule{minutes("", schedule.AnchorBooked, 9*24*60)}, now: "2026-12-10T14:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"one counted from the end does not":       {rule: hours(1), siblings: []schedule.Rule{minutes("", schedule.AnchorEnd, -60)}, now: "2026-12-10T14:55:00+01:00", want: "2026-12-10T14:00:00+01:00"},
		"one after the booking is held by none":   {rule: minutes("", schedule.AnchorBooked, 60), siblings: three, now: "2026-12-10T14:00:00+01:00", want: "2026-12-01T13:00:00+01:00"},
		"of two at the same moment the lower id":  {rule: days(t, "1d", schedule.AnchorStart, -1, ""), siblings: []schedule.Rule{hours(24)}, now: "2026-12-09T15:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"the other one does not":                  {rule: hours(24), siblings: []schedule.Rule{days(t, "1d", schedule.AnchorStart, -1, "")}, now: "2026-12-09T15:00:00+01:00", reasons: superseded},
		"nor does it hold itself":                 {rule: hours(24), siblings: []schedule.Rule{hours(24)}, now: "2026-12-09T15:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"the service's own before one for all":    {rule: hours(24), siblings: []schedule.Rule{therapy}, now: "2026-12-09T15:00:00+01:00", reasons: superseded},
		"and the one for all does not hold it":    {rule: therapy, siblings: []schedule.Rule{hours(24)}, now: "2026-12-09T15:00:00+01:00", want: "2026-12-09T15:00:00+01:00"},
		"both wait for the window: the nearer":    {rule: hours(12), siblings: []schedule.Rule{hours(12), hours(10)}, window: "08:00-21:00", starts: "2026-12-10T11:00:00+01:00", now: "2026-12-09T20:00:00+01:00", reasons: because(schedule.Superseded)},
		"waits until the nearer one is due: none": {rule: hours(12), siblings: []schedule.Rule{hours(12), hours(2)}, window: "08:00-21:00", starts: "2026-12-10T10:00:00+01:00", now: "2026-12-09T12:00:00+01:00", reasons: superseded},
		"waits, but goes before the nearer one":   {rule: hours(12), siblings: []schedule.Rule{hours(12), hours(2)}, window: "08:00-21:00", starts: "2026-12-10T10:01:00+01:00", now: "2026-12-09T12:00:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"the nearer one goes in advance: none":    {rule: hours(3), siblings: []schedule.Rule{hours(3), hours(2)}, window: "08:00-21:00", starts: "2026-12-10T07:00:00+01:00", now: "2026-12-09T12:00:00+01:00", reasons: superseded},
		"in advance, but after the farther one":   {rule: hours(12), siblings: []schedule.Rule{hours(12), hours(2)}, window: "08:00-21:00", starts: "2026-12-10T07:00:00+01:00", now: "2026-12-09T12:00:00+01:00", want: "2026-12-09T19:00:00+01:00"},
	})
}

func TestTimeInTheWindow(t *testing.T) {
	t.Parallel()
	const early, nine = "2026-12-10T07:00:00+01:00", "2026-12-10T09:00:00+01:00"
	quiet := because(schedule.QuietHours)
	followUp := minutes("", schedule.AnchorEnd, 6*60)
	tiny := minutes("", schedule.AnchorEnd, 0)
	answer(t, map[string]question{
		"waits for the opening":                      {rule: hours(2), starts: nine, window: "08:00-21:00", now: "2026-12-09T12:00:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"late, still waits for the opening":          {rule: hours(2), starts: nine, window: "08:00-21:00", now: "2026-12-10T07:30:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"later, at once":                             {rule: hours(2), starts: nine, window: "08:00-21:00", now: "2026-12-10T08:20:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"late at night: the next opening":            {rule: hours(24), window: "08:00-21:00", now: "2026-12-09T23:00:00+01:00", want: "2026-12-10T08:00:00+01:00"},
		"late at night, an early start":              {rule: hours(12), starts: early, window: "08:00-21:00", now: "2026-12-09T21:00:00+01:00", reasons: quiet},
		"in advance":                                 {rule: hours(2), starts: early, window: "08:00-21:00", now: "2026-12-09T12:00:00+01:00", want: "2026-12-09T20:30:00+01:00"},
		"in advance, a little late: at once":         {rule: hours(2), starts: early, window: "08:00-21:00", now: "2026-12-09T20:50:00+01:00", want: "2026-12-09T20:30:00+01:00"},
		"in advance, booked late: at once":           {rule: hours(2), starts: early, booked: "2026-12-09T20:40:00+01:00", window: "08:00-21:00", now: "2026-12-09T20:41:00+01:00", want: "2026-12-09T20:40:00+01:00"},
		"in advance, missed":                         {rule: hours(2), starts: early, window: "08:00-21:00", now: "2026-12-09T21:00:00+01:00", reasons: quiet},
		"in advance, booked too late":                {rule: hours(2), starts: early, booked: "2026-12-09T21:00:00+01:00", window: "08:00-21:00", now: "2026-12-09T21:00:00+01:00", reasons: quiet},
		"booked too late, seen by day":               {rule: hours(2), starts: "2026-12-10T08:30:00+01:00", booked: "2026-12-09T23:00:00+01:00", window: "08:00-21:00", now: "2026-12-10T08:10:00+01:00", reasons: quiet},
		"in advance, the rule saved late":            {rule: hours(2), starts: early, saved: "2026-12-09T22:00:00+01:00", window: "08:00-21:00", now: "2026-12-09T22:00:00+01:00", reasons: quiet},
		"in advance, the rule saved meanwhile":       {rule: hours(2), starts: early, saved: "2026-12-09T20:45:00+01:00", window: "08:00-21:00", now: "2026-12-09T20:46:00+01:00", want: "2026-12-09T20:45:00+01:00"},
		"the rule saved too late, seen by day":       {rule: hours(2), starts: "2026-12-10T08:30:00+01:00", saved: "2026-12-09T23:00:00+01:00", window: "08:00-21:00", now: "2026-12-10T08:10:00+01:00", reasons: quiet},
		"a late booking, and no word of quiet hours": {rule: hours(12), starts: early, booked: "2026-12-10T05:00:00+01:00", window: "08:00-21:00", now: "2026-12-10T05:00:00+01:00", reasons: because(schedule.LateBooking)},
		"requested, and in quiet hours":              {rule: hours(2), starts: early, status: schedule.StatusRequested, booked: "2026-12-09T22:00:00+01:00", window: "08:00-21:00", now: "2026-12-10T05:00:00+01:00", reasons: because(schedule.NotConfirmed, schedule.QuietHours)},
		"past, and no word of quiet hours":           {rule: hours(2), starts: early, window: "08:00-21:00", now: "2026-12-10T07:30:00+01:00", reasons: because(schedule.Past)},
		"after the end waits for the day":            {rule: followUp, window: "08:00-21:00", now: "2026-12-10T20:00:00+01:00", want: "2026-12-11T08:00:00+01:00"},
		"after the end, never in advance":            {rule: tiny, starts: "2026-12-10T20:30:00+01:00", window: "08:00-21:00", now: "2026-12-10T20:30:00+01:00", want: "2026-12-11T08:00:00+01:00"},
		"after the end, late at night":               {rule: tiny, window: "08:00-21:00", now: "2026-12-10T22:00:00+01:00", want: "2026-12-11T08:00:00+01:00"},
		"after the end, too long a wait":             {rule: tiny, starts: "2026-12-10T06:30:00+01:00", window: "08:00-21:00", now: "2026-12-10T22:00:00+01:00", reasons: quiet},
	})
}

func TestTimeTellsUntilWhen(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		question question
		due, not string
	}{
		"a reminder":              {question{rule: hours(24), now: "2026-12-02T12:00:00+01:00"}, "2026-12-09T15:00:00+01:00", "2026-12-10T15:00:00+01:00"},
		"after the end":           {question{rule: minutes("", schedule.AnchorEnd, 60), now: "2026-12-02T12:00:00+01:00"}, "2026-12-10T16:50:00+01:00", "2026-12-11T16:50:00+01:00"},
		"with grace, by the rule": {question{rule: hours(24), grace: true, booked: "2026-12-09T20:00:00+01:00", now: "2026-12-09T20:00:00+01:00"}, "2026-12-09T15:00:00+01:00", "2026-12-10T15:00:00+01:00"},
		"also where none goes":    {question{rule: hours(24), status: schedule.StatusMissed, now: "2026-12-02T12:00:00+01:00"}, "2026-12-09T15:00:00+01:00", "2026-12-10T15:00:00+01:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := tt.question.ask(t)
			same(t, "due", got.Due, instant(t, tt.due))
			same(t, "not after", got.NotAfter, instant(t, tt.not))
		})
	}
}

func TestRipeAt(t *testing.T) {
	t.Parallel()
	due, goes := instant(t, "2026-12-10T07:00:00Z"), instant(t, "2026-12-09T20:30:00Z")
	same(t, "a message", schedule.Timing{Due: due, SendAt: goes}.RipeAt(), goes)
	same(t, "a skip", schedule.Timing{Due: due, Reasons: because(schedule.QuietHours)}.RipeAt(), due)
}

// A scene is a visit with a practice's rules.
type scene struct {
	rules  []schedule.Rule
	policy schedule.Policy
	visit  schedule.Visit
	window schedule.Window
	zone   *time.Location
}

func drawScene(t *rapid.T) scene {
	s := scene{rules: drawRules(t), policy: drawPolicy(t), window: drawWindow(t), zone: drawZone(t)}
	s.visit = schedule.Visit{
		StartsAt: drawMoment(t, "start", 30*24*time.Hour),
		Zone:     drawZone(t),
		Status:   schedule.StatusScheduled,
	}
	s.visit.EndsAt = s.visit.StartsAt.Add(50 * time.Minute)
	s.visit.BookedAt = s.visit.StartsAt.Add(-drawSpan(t, "booked", -time.Hour, 80*time.Hour))
	if rapid.Bool().Draw(t, "moved") {
		s.visit.SetAt = s.visit.BookedAt.Add(drawSpan(t, "set", 0, 40*time.Hour))
	}
	if rapid.Bool().Draw(t, "saved") {
		s.rules[0].SavedAt = s.visit.StartsAt.Add(-drawSpan(t, "saved at", 0, 80*time.Hour))
	}
	return s
}

func (s scene) at(i int, now time.Time) schedule.Timing {
	return s.policy.Time(s.rules[i], s.rules, s.visit, s.window, s.zone, now)
}

func TestTimeKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		now := s.visit.StartsAt.Add(-drawSpan(t, "now", -30*time.Hour, 100*time.Hour))
		for i, r := range s.rules {
			got := s.at(i, now)
			if got.SendAt.IsZero() != (len(got.Reasons) > 0 || !got.Applies) {
				t.Fatalf("neither goes nor has a reason: %+v", got)
			}
			if got.SendAt.IsZero() {
				continue
			}
			goes := latest(got.SendAt, now)
			switch {
			case goes.After(got.NotAfter):
				t.Errorf("goes at %s, of use until %s", goes, got.NotAfter)
			case r.Anchor != schedule.AnchorEnd && goes.After(s.visit.StartsAt):
				t.Errorf("goes at %s, after the start", goes)
			case !s.window.Open(goes, s.zone):
				t.Errorf("goes at %s, outside the window", goes.In(s.zone))
			case got.SendAt.Before(r.LookAt(s.visit, s.window)):
				t.Errorf("goes at %s, before anybody looks at %s", got.SendAt, r.LookAt(s.visit, s.window))
			case got.SendAt.Before(s.visit.BookedAt):
				t.Errorf("goes at %s, before it was booked", got.SendAt)
			}
		}
	})
}

// Planned ahead or decided at the last moment: it is the same.
func TestTimeHoldsUntilItComes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		early := s.visit.StartsAt.Add(-drawSpan(t, "early", 0, 100*time.Hour))
		for i := range s.rules {
			first := s.at(i, early)
			if !first.SendAt.After(early) {
				continue
			}
			between := early.Add(time.Duration(rapid.Int64Range(0, int64(first.SendAt.Sub(early))).Draw(t, "between")))
			if diff := cmp.Diff(first, s.at(i, between)); diff != "" {
				t.Errorf("asked at %s and at %s:\n%s", early, between, diff)
			}
		}
	})
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
