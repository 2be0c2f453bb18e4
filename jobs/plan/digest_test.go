package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// hour is the one whose reminders meet in these tests.
func hour() time.Time { return time.Date(2026, time.December, 9, 19, 0, 0, 0, time.UTC) }

// to is a decision to tell numbers at a minute of the hour.
func to(t *testing.T, early bool, minute int, numbers ...string) plan.Decision {
	t.Helper()
	d := plan.Decision{PracticeID: "p", AppointmentID: fmt.Sprint("of minute ", minute), Kind: kind.Reminder, Outcome: recipients.Notify, Early: early}
	for _, number := range numbers {
		address, err := recipients.ParseAddress(recipients.SMS, number, "US")
		if err != nil {
			t.Fatal(err)
		}
		d.Notifications = append(d.Notifications, plan.Notification{
			Channel: recipients.SMS, Address: address, NotBefore: hour().Add(time.Duration(minute) * time.Minute), DigestHour: hour(),
		})
	}
	return d
}

const (
	mary  = "+12015550101"
	frank = "+12015550102"
)

func TestWhatMayGoTogetherGoesWithTheFirst(t *testing.T) {
	t.Parallel()
	alone := to(t, true, 45, mary)
	alone.Notifications[0].DigestHour = time.Time{}
	nextHour := to(t, true, 65, mary)
	nextHour.Notifications[0].DigestHour = hour().Add(time.Hour)
	elsewhere := to(t, true, 45, mary)
	elsewhere.PracticeID = "another"
	second := to(t, true, 45, mary) // of the visit of minute 15
	second.AppointmentID = "of minute 15"
	byEmail := to(t, true, 45, mary)
	byEmail.Notifications[0].Channel = recipients.Email
	waiting := plan.Company{}
	waits := to(t, false, 10, frank)
	waiting.Meet(waits.Digest(waits.Notifications[0]), "waits", hour().Add(10*time.Minute))
	cases := map[string]struct {
		decisions []plan.Decision
		want      []string // the minutes at which each one's messages go
	}{
		"two that are due":                   {[]plan.Decision{to(t, false, 15, mary), to(t, false, 30, mary)}, []string{"15", "15"}},
		"one due and one early":              {[]plan.Decision{to(t, true, 45, mary), to(t, false, 15, mary)}, []string{"15", "15"}},
		"two that are early":                 {[]plan.Decision{to(t, true, 45, mary), to(t, true, 15, mary)}, []string{"15", "15"}},
		"early and alone":                    {[]plan.Decision{to(t, true, 45, mary)}, nil},
		"due and alone":                      {[]plan.Decision{to(t, false, 45, mary)}, []string{"45"}},
		"to different people":                {[]plan.Decision{to(t, false, 15, mary), to(t, true, 45, frank)}, []string{"15", "10"}},
		"one of two people":                  {[]plan.Decision{to(t, false, 15, mary), to(t, true, 45, mary, frank)}, []string{"15", "15 10"}},
		"early, with what waits":             {[]plan.Decision{to(t, true, 45, frank)}, []string{"10"}},
		"two people of one decision":         {[]plan.Decision{to(t, true, 45, mary, "+12015550109")}, nil},
		"of a kind that goes alone":          {[]plan.Decision{to(t, false, 15, mary), alone}, []string{"15"}},
		"of another hour":                    {[]plan.Decision{to(t, false, 15, mary), nextHour}, []string{"15"}},
		"of another practice":                {[]plan.Decision{to(t, false, 15, mary), elsewhere}, []string{"15"}},
		"of another channel":                 {[]plan.Decision{to(t, false, 15, mary), byEmail}, []string{"15"}},
		"a second reminder of one visit":     {[]plan.Decision{second, to(t, true, 15, mary)}, nil},
		"a second reminder, and a sibling's": {[]plan.Decision{second, to(t, false, 15, mary), to(t, true, 30, mary)}, []string{"15", "15"}},
		"three, the last one earlier":        {[]plan.Decision{to(t, true, 45, mary), to(t, true, 30, mary), to(t, true, 15, mary)}, []string{"15", "15", "15"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			company := plan.Company{}
			for in, all := range waiting {
				company[in] = maps.Clone(all)
			}
			var got []string
			for _, d := range plan.Join(slices.Clone(c.decisions), company) {
				var minutes []string
				for _, n := range d.Notifications {
					minutes = append(minutes, fmt.Sprint(n.NotBefore.Sub(hour()).Minutes()))
				}
				got = append(got, strings.Join(minutes, " "))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What a practice with family digests has due is planned in one transaction,
// however much it is; the others' batches stay small.
func TestAPracticesFamiliesArePlannedTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	due := dues(450)
	for i := range due {
		if i%3 == 0 {
			due[i].Digest = "p"
		}
	}
	if n, err := o.Rules(t.Context(), due, o.Now(), o.Now()); n != 450 || err != nil {
		t.Errorf("%d decided, %v", n, err)
	}
	// Two are planned at once: which of them comes first is not said.
	if want := []int{100, 100, 100, 150}; !slices.Equal(slices.Sorted(slices.Values(o.store.sizes)), want) {
		t.Errorf("transactions of %v, want %v", o.store.sizes, want)
	}
}
