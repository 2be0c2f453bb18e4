package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs/plan"
)

// before is a reminder some minutes before the start.
func before(m int) plan.Rule {
	return plan.Rule{
		Rule:     schedule.Rule{ID: "r", Kind: kind.Reminder, Anchor: schedule.AnchorStart, Minutes: new(-m)},
		Template: "appointment.reminder",
	}
}

// daysBefore is a reminder some days before the start, at its time of day or at
// an hour of its own.
func daysBefore(n int, clock *schedule.Clock) plan.Rule {
	r := before(0)
	r.Minutes, r.Days, r.At = nil, new(-n), clock
	return r
}

// due is one sentence about a rule. An empty story means that there is nothing
// to be decided yet, or ever.
type due struct {
	rule   plan.Rule
	now    string
	change func(*testing.T, *scene)
	want   []string
}

func checkRules(t *testing.T, cases map[string]due) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := visit(t)
			s.smsOnly()
			s.now = at(t, c.now)
			c.change(t, s)
			var got []string
			if d, ok := plan.DecideRule(c.rule, s.s, s.now, s.now); ok {
				got = story(t, d)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// day is the number of minutes in 24 hours.
const day = 24 * 60

func byEmail(_ *testing.T, c *scene) { c.s.Client.Method = "email" }

func TestARuleIsDecidedWhenItIsDue(t *testing.T) {
	t.Parallel()
	sms := func(from string) []string {
		return []string{"notify", "to client by sms at +12015550101, from " + from + " until Dec 10 15:00:00"}
	}
	skipped := func(reasons string) []string { return []string{"skipped", "ann by sms: " + reasons} }
	status := func(s schedule.Status) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) { c.s.Appointment.Status = s }
	}
	checkRules(t, map[string]due{
		"a second before":       {before(day), "2026-12-09T14:59:59-05:00", unchanged, nil},
		"to the second":         {before(day), "2026-12-09T15:00:00-05:00", unchanged, sms("Dec 9 15:00:00")},
		"a sweep too late":      {before(day), "2026-12-09T15:07:00-05:00", unchanged, sms("Dec 9 15:00:00")},
		"after the start":       {before(day), "2026-12-10T15:00:01-05:00", unchanged, skipped("past")},
		"cancelled":             {before(day), "2026-12-09T15:00:00-05:00", status(schedule.StatusCancelled), skipped("cancelled")},
		"cancelled, before due": {before(day), "2026-12-09T14:59:59-05:00", status(schedule.StatusCancelled), nil},
		"requested":             {before(day), "2026-12-09T15:00:00-05:00", status(schedule.StatusRequested), skipped("not_confirmed")},
		"declined":              {before(day), "2026-12-09T15:00:00-05:00", status(schedule.StatusDeclined), skipped("status")},
		"booked after it was due": {before(day), "2026-12-09T20:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.set(t, "2026-12-09T18:00:00-05:00")
		}, skipped("late_booking")},
		"booked when it was due": {before(day), "2026-12-09T15:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.set(t, "2026-12-09T15:00:00-05:00")
		}, sms("Dec 9 15:00:00")},
		"with grace, two thirds are left": {before(day), "2026-12-09T20:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.s.Practice.LateBooking = "grace"
			c.set(t, "2026-12-09T20:00:00-05:00") // 19 of 24 hours
		}, sms("Dec 9 20:00:00")},
		"with grace, exactly two thirds are left": {before(9 * 60), "2026-12-10T09:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.s.Practice.LateBooking = "grace"
			c.set(t, "2026-12-10T09:00:00-05:00") // 6 of 9 hours
		}, sms("Dec 10 09:00:00")},
		"with grace, less than two thirds are left": {before(9 * 60), "2026-12-10T09:00:01-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.s.Practice.LateBooking = "grace"
			c.set(t, "2026-12-10T09:00:01-05:00")
		}, skipped("late_booking")},
		"moved after it was due": {before(day), "2026-12-09T18:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.s.Appointment.StartSetAt = at(t, "2026-12-09T18:00:00-05:00")
		}, skipped("late_booking")},
		"the rule was saved after it was due": {func() plan.Rule {
			r := before(day)
			r.SavedAt = time.Date(2026, 12, 9, 23, 0, 0, 0, time.UTC)
			return r
		}(), "2026-12-09T20:00:00-05:00", unchanged, nil},
		"the rule is for another service": {func() plan.Rule {
			r := before(day)
			r.ServiceName = "Massage"
			return r
		}(), "2026-12-09T15:00:00-05:00", unchanged, nil},
		"the practice's zone does not exist": {before(day), "2026-12-09T15:00:00-05:00", func(_ *testing.T, c *scene) {
			c.s.Practice.TimeZone = "Mars/Olympus"
		}, skipped("bad_zone")},
		"the appointment's switch is not for rules": {before(day), "2026-12-09T15:00:00-05:00", func(_ *testing.T, c *scene) {
			c.s.Appointment.Notify = false
		}, sms("Dec 9 15:00:00")},
		"every reason at once": {before(day), "2026-12-10T16:00:00-05:00", func(_ *testing.T, c *scene) {
			c.s.Appointment.Status, c.s.Client.ReceivesReminders, c.s.Client.Phone, c.s.Client.DoNotContact = schedule.StatusCancelled, false, "", true
		}, skipped("flag_off no_address do_not_contact cancelled past")},
	})
}

func TestARuleKeepsToTheSMSWindow(t *testing.T) {
	t.Parallel()
	starts := func(s string) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, s)
		}
	}
	checkRules(t, map[string]due{
		"due at night, it waits for the opening, decided when due": {
			before(12 * 60), "2026-12-10T03:00:00-05:00", unchanged,
			[]string{"notify", "to client by sms at +12015550101, from Dec 10 08:00:00 until Dec 10 15:00:00"},
		},
		"e-mail does not wait": {
			before(12 * 60), "2026-12-10T03:00:00-05:00", byEmail,
			[]string{"notify", "to client by email at ann@example.com, from Dec 10 03:00:00 until Dec 10 15:00:00"},
		},
		"less than an hour is left after the opening: half an hour before the last closing": {
			before(60), "2026-12-09T20:30:00-05:00", starts("2026-12-10T08:30:00-05:00"),
			[]string{"notify", "to client by sms at +12015550101, from Dec 9 20:30:00 until Dec 10 08:30:00"},
		},
		"… and not decided before that": {
			before(60), "2026-12-09T20:29:59-05:00", starts("2026-12-10T08:30:00-05:00"), nil,
		},
		"an hour is left after the opening": {
			before(120), "2026-12-10T07:00:00-05:00", starts("2026-12-10T09:00:00-05:00"),
			[]string{"notify", "to client by sms at +12015550101, from Dec 10 08:00:00 until Dec 10 09:00:00"},
		},
		"booked after the last closing": {before(60), "2026-12-10T07:30:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T08:30:00-05:00")
			c.set(t, "2026-12-09T22:00:00-05:00")
		}, []string{"skipped", "ann by sms: quiet_hours"}},
		"the recipient's own zone counts": {before(day), "2026-12-10T14:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T09:00:00-05:00")
			c.now = at(t, "2026-12-09T09:00:00-05:00") // six o'clock in Los Angeles
			c.s.Client.TimeZone = "America/Los_Angeles"
		}, []string{"notify", "to client by sms at +12015550101, from Dec 9 11:00:00 until Dec 10 09:00:00"}},
		"one channel waits and the other goes": {before(12 * 60), "2026-12-10T03:00:00-05:00", func(_ *testing.T, c *scene) {
			c.s.Client.Method = "both"
		}, []string{
			"notify",
			"to client by email at ann@example.com, from Dec 10 03:00:00 until Dec 10 15:00:00",
			"to client by sms at +12015550101, from Dec 10 08:00:00 until Dec 10 15:00:00",
		}},
		"one channel is too late and the other goes": {before(60), "2026-12-10T07:30:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T08:30:00-05:00")
			c.set(t, "2026-12-09T22:00:00-05:00")
			c.s.Client.Method = "both"
		}, []string{
			"notify", "ann by sms: quiet_hours",
			"to client by email at ann@example.com, from Dec 10 07:30:00 until Dec 10 08:30:00",
		}},
	})
}

// TestBothNightsOfTheYear has a visit on the Sundays on which New York's clocks
// change, at two in the morning: 24 hours before and a day before part ways.
func TestBothNightsOfTheYear(t *testing.T) {
	t.Parallel()
	spring := func(t *testing.T, c *scene) {
		t.Helper()
		byEmail(t, c)
		c.start(t, "2026-03-08T10:00:00-04:00")
		c.set(t, "2026-02-01T12:00:00-05:00")
	}
	autumn := func(t *testing.T, c *scene) {
		t.Helper()
		byEmail(t, c)
		c.start(t, "2026-11-01T10:00:00-05:00")
		c.set(t, "2026-10-01T12:00:00-04:00")
	}
	mail := func(span string) []string {
		return []string{"notify", "to client by email at ann@example.com, from " + span}
	}
	const inSpring, inAutumn = " until Mar 8 10:00:00", " until Nov 1 10:00:00"
	half2 := &schedule.Clock{Hour: 2, Minute: 30}
	half1 := &schedule.Clock{Hour: 1, Minute: 30}
	checkRules(t, map[string]due{
		"spring: 24 hours before":                {before(day), "2026-03-07T09:00:00-05:00", spring, mail("Mar 7 09:00:00" + inSpring)},
		"spring: a second less than 24 hours":    {before(day), "2026-03-07T08:59:59-05:00", spring, nil},
		"spring: a day before":                   {daysBefore(1, nil), "2026-03-07T10:00:00-05:00", spring, mail("Mar 7 10:00:00" + inSpring)},
		"spring: not a day before yet":           {daysBefore(1, nil), "2026-03-07T09:59:59-05:00", spring, nil},
		"spring: at a time that does not exist":  {daysBefore(0, half2), "2026-03-08T03:30:00-04:00", spring, mail("Mar 8 03:30:00" + inSpring)},
		"spring: not at half past one":           {daysBefore(0, half2), "2026-03-08T03:29:59-04:00", spring, nil},
		"autumn: 24 hours before":                {before(day), "2026-10-31T11:00:00-04:00", autumn, mail("Oct 31 11:00:00" + inAutumn)},
		"autumn: a day before":                   {daysBefore(1, nil), "2026-10-31T10:00:00-04:00", autumn, mail("Oct 31 10:00:00" + inAutumn)},
		"autumn: not a day before yet":           {daysBefore(1, nil), "2026-10-31T09:59:59-04:00", autumn, nil},
		"autumn: the first of two half past one": {daysBefore(0, half1), "2026-11-01T01:30:00-04:00", autumn, mail("Nov 1 01:30:00" + inAutumn)},
		"autumn: not before it":                  {daysBefore(0, half1), "2026-11-01T01:29:59-04:00", autumn, nil},
		"spring: an SMS waits for eight on the new clock": {before(7 * 60), "2026-03-08T03:00:00-04:00", func(t *testing.T, c *scene) {
			t.Helper()
			spring(t, c)
			c.s.Client.Method = "sms"
		}, []string{"notify", "to client by sms at +12015550101, from Mar 8 08:00:00 until Mar 8 10:00:00"}},
		"autumn: an SMS waits for eight on the new clock": {before(7 * 60), "2026-11-01T03:00:00-05:00", func(t *testing.T, c *scene) {
			t.Helper()
			autumn(t, c)
			c.s.Client.Method = "sms"
		}, []string{"notify", "to client by sms at +12015550101, from Nov 1 08:00:00 until Nov 1 10:00:00"}},
	})
}

func TestOfSeveralPassedOffsetsOnlyTheNearestGoes(t *testing.T) {
	t.Parallel()
	with := func(r plan.Rule, siblings ...plan.Rule) plan.Rule {
		for i, s := range siblings {
			s.ID += string(rune('1' + i))
			r.Siblings = append(r.Siblings, s.Rule)
		}
		return r
	}
	checkRules(t, map[string]due{
		"an outage held both up": {
			with(before(day), before(120)), "2026-12-10T13:00:00-05:00", unchanged, []string{"skipped", "ann by sms: superseded"},
		},
		"the nearer one goes": {
			with(before(120), before(day)), "2026-12-10T13:00:00-05:00", unchanged,
			[]string{"notify", "to client by sms at +12015550101, from Dec 10 13:00:00 until Dec 10 15:00:00"},
		},
		"the nearer one is not due yet": {
			with(before(day), before(120)), "2026-12-10T12:00:00-05:00", unchanged,
			[]string{"notify", "to client by sms at +12015550101, from Dec 9 15:00:00 until Dec 10 15:00:00"},
		},
	})
}

func TestRulesAfterTheVisitAndTheBooking(t *testing.T) {
	t.Parallel()
	after := func(anchor schedule.Anchor, m int) plan.Rule {
		r := before(0)
		r.Kind, r.Anchor, r.Minutes, r.Template = kind.Scheduled, anchor, new(m), "thanks"
		return r
	}
	status := func(s schedule.Status) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) {
			t.Helper()
			byEmail(t, c)
			c.s.Appointment.Status = s
		}
	}
	checkRules(t, map[string]due{
		"two hours after the end": {
			after(schedule.AnchorEnd, 120), "2026-12-10T17:50:00-05:00", status(schedule.StatusCompleted),
			[]string{"notify", "to client by email at ann@example.com, from Dec 10 17:50:00 until Dec 11 17:50:00"},
		},
		"it is not for who was not there": {
			after(schedule.AnchorEnd, 120), "2026-12-10T17:50:00-05:00", status(schedule.StatusMissed), []string{"skipped", "ann by email: status"},
		},
		"a day too late": {
			after(schedule.AnchorEnd, 120), "2026-12-11T17:50:01-05:00", status(schedule.StatusCompleted), []string{"skipped", "ann by email: past"},
		},
		"an hour after the booking": {
			after(schedule.AnchorBooked, 60), "2026-12-01T13:00:00-05:00", byEmail,
			[]string{"notify", "to client by email at ann@example.com, from Dec 1 13:00:00 until Dec 10 15:00:00"},
		},
	})
}
