package deliver_test

import (
	"testing"
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/recipients"
)

func TestWhatWasInterruptedMayHaveGone(t *testing.T) {
	t.Parallel()
	const again = "unknown, again in 5m0s"
	judge(t, func(c *scene) { c.n.Interrupted = true }, map[string]looked{
		"a reminder":                    {func(*testing.T, *scene) {}, again},
		"a cancellation":                {func(_ *testing.T, c *scene) { c.event(kind.Cancelled) }, again},
		"a confirmation":                {func(_ *testing.T, c *scene) { c.event(kind.Booked) }, "unknown"},
		"more than an hour is left":     {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(-65*time.Minute - time.Second) }, again},
		"an hour is left":               {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(-65 * time.Minute) }, "unknown"},
		"the start has passed":          {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(time.Hour) }, "unknown"},
		"the appointment is gone":       {func(_ *testing.T, c *scene) { c.s = nil }, again}, // it is looked at then
		"cancelled since":               {func(_ *testing.T, c *scene) { c.s.Appointment.Status = schedule.StatusCancelled }, again},
		"the second time it was sent":   {func(_ *testing.T, c *scene) { c.n.Repeat = true }, "unknown"},
		"a text that cannot be written": {func(_ *testing.T, c *scene) { c.n.Template = "none" }, again},
	})
}

func TestWhatMayHaveGoneIsNeverCalledSuppressedOrExpired(t *testing.T) {
	t.Parallel()
	judge(t, func(c *scene) { c.n.Repeat = true }, map[string]looked{
		"it is still right":       {func(*testing.T, *scene) {}, sent},
		"cancelled since":         {func(_ *testing.T, c *scene) { c.s.Appointment.Status = schedule.StatusCancelled }, "unknown"},
		"moved since":             {func(_ *testing.T, c *scene) { c.s.Appointment.StartsAt = c.n.StartsAt.Add(time.Hour) }, "unknown"},
		"the appointment is gone": {func(_ *testing.T, c *scene) { c.s = nil }, "unknown"},
		"the person has said STOP": {func(_ *testing.T, c *scene) {
			c.s.OptOuts = []recipients.OptOut{{Channel: recipients.SMS, Address: "+12015550101"}}
		}, "unknown"},
		"more than an hour is left": {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(-time.Hour - time.Second) }, sent},
		"an hour is left":           {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(-time.Hour) }, "unknown"},
		"the start has passed":      {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(time.Second) }, "unknown"},
		"the window is shut": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T15:00:00-05:00", "2026-12-10T07:00:00-05:00")
		}, "unknown, again in 1h0m0s"},
		"the window is shut for the night the clocks go back": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-11-01T15:00:00-05:00", "2026-10-31T23:00:00-04:00")
		}, "unknown, again in 10h0m0s"},
		"the window opens an hour before the start": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T09:00:00-05:00", "2026-12-10T07:00:00-05:00")
		}, "unknown"},
		"the window opens too late": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T08:30:00-05:00", "2026-12-10T07:00:00-05:00")
		}, "unknown"},
		"its words are gone, and cannot be written": {func(_ *testing.T, c *scene) { c.n.Template = "none" }, "unknown, with a problem"},
	})
}

// judge has what may have gone ruled on in each of the cases.
func judge(t *testing.T, begin func(*scene), cases map[string]looked) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reminder(t)
			begin(s)
			c.found(t, s)
			if got := fate(s.ruling(), s.now); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
