package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"rappel/jobs"
)

const (
	appointment = "0190c2a4-7d1e-7b3a-9c55-3f0f6a1d2b11"
	other       = "0190c2a4-7d1e-7b3a-9c55-3f0f6a1d2b12"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNoTaskTypeIsAPrefixOfAnother(t *testing.T) {
	t.Parallel()
	types := []string{jobs.TypeEvent, jobs.TypeSweep, jobs.TypeDeliver, jobs.TypeReconcile, jobs.TypeRetention}
	for _, a := range types {
		for _, b := range types {
			if a != b && strings.HasPrefix(b, a) {
				t.Errorf("%q is a prefix of %q; asynq would route both to one handler", a, b)
			}
		}
	}
}

func TestPayloadsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	event, err := jobs.NewEvent(jobs.Booked, appointment, at(t, "2026-11-01T01:30:00-05:00").UTC())
	if err != nil {
		t.Fatal(err)
	}
	task, err := event.Task()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := jobs.DecodeEvent(task); err != nil || back != event {
		t.Errorf("event came back as %+v, %v; want %+v", back, err, event)
	}

	deliver := jobs.Deliver{IDs: []string{appointment, other}}
	task, err = deliver.Task(jobs.QueueSMS)
	if err != nil {
		t.Fatal(err)
	}
	back, err := jobs.DecodeDeliver(task)
	if diff := cmp.Diff(deliver, back); diff != "" || err != nil {
		t.Errorf("deliver came back changed: %v\n%s", err, diff)
	}

	for name, sweep := range map[string]jobs.Sweep{"now": {}, "as of": {At: at(t, "2026-03-29T00:59:00Z")}} {
		task, err := sweep.Task()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := jobs.DecodeSweep(task); err != nil || !back.At.Equal(sweep.At) {
			t.Errorf("sweep %s came back as %+v, %v", name, back, err)
		}
	}
}

func TestASweepTheCalendarHasNoRoomForIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := (jobs.Sweep{At: at(t, "9999-12-31T00:00:00Z")}).Task(); err == nil {
		t.Error("a task was made")
	}
	_, err := jobs.DecodeSweep(asynq.NewTask(jobs.TypeSweep, []byte(`{"at":"9999-12-31T00:00:00Z"}`)))
	if !errors.Is(err, asynq.SkipRetry) {
		t.Errorf("error %v would be tried again", err)
	}
}

func TestASweepWithoutAPayloadMeansNow(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "{}"} {
		s, err := jobs.DecodeSweep(asynq.NewTask(jobs.TypeSweep, []byte(payload)))
		if err != nil || !s.At.IsZero() {
			t.Errorf("payload %q: %+v, %v", payload, s, err)
		}
	}
}

func TestAMalformedEventIsRefusedForGoodWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	good := `"event_id":"` + other + `","appointment_id":"` + appointment + `","occurred_at":"2026-11-21T10:00:00Z"`
	cases := map[string]string{
		"nothing":                    ``,
		"not JSON":                   `{"Ann Lee`,
		"another type":               `["Ann Lee"]`,
		"a number as id":             `{"event_id":7}`,
		"no id":                      `{"kind":"appointment.booked"}`,
		"an id in braces":            `{` + strings.Replace(good, other, "{"+other+"}", 1) + `,"kind":"appointment.booked"}`,
		"an appointment that is not": `{"event_id":"` + other + `","kind":"appointment.booked","appointment_id":"Ann Lee","occurred_at":"2026-11-21T10:00:00Z"}`,
		"no kind":                    `{` + good + `}`,
		"a kind that is no text":     `{` + good + `,"kind":"\u0000Ann"}`,
		"an endless kind":            `{` + good + `,"kind":"` + strings.Repeat("Ann Lee", 100) + `"}`,
		"a time that is not one":     `{"event_id":"` + other + `","occurred_at":"Ann Lee"}`,
	}
	for name, payload := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jobs.DecodeEvent(asynq.NewTask(jobs.TypeEvent, []byte(payload)))
			if !errors.Is(err, asynq.SkipRetry) {
				t.Errorf("error %v would be tried again", err)
			}
			if err != nil && strings.Contains(err.Error(), "Ann") {
				t.Errorf("error repeats the payload: %v", err)
			}
		})
	}
}

func TestAnUnknownKindIsLetThroughToEndAsADecision(t *testing.T) {
	t.Parallel()
	payload := `{"event_id":"` + other + `","kind":"appointment.eaten","appointment_id":"` + appointment + `","occurred_at":"2026-11-21T10:00:00Z"}`
	e, err := jobs.DecodeEvent(asynq.NewTask(jobs.TypeEvent, []byte(payload)))
	if err != nil || e.Kind != "appointment.eaten" {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestAMainAppCannotReportWhatOnlyRulesMake(t *testing.T) {
	t.Parallel()
	for _, k := range []jobs.Kind{"appointment.reminder", "portal.message", "appointment.eaten", ""} {
		if _, err := jobs.NewEvent(k, appointment, at(t, "2026-11-21T10:00:00Z")); err == nil {
			t.Errorf("an event of kind %q was made", k)
		}
	}
}

func TestADeliverTaskNamesOneToAThousandNotifications(t *testing.T) {
	t.Parallel()
	many := make([]string, jobs.MostIDs+1)
	for i := range many {
		many[i] = appointment
	}
	cases := map[string][]string{"none": nil, "too many": many, "not an id": {"Ann"}}
	for name, ids := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := (jobs.Deliver{IDs: ids}).Task(jobs.QueueSMS); err == nil {
				t.Error("a task was made")
			}
		})
	}
	if _, err := (jobs.Deliver{IDs: many[1:]}).Task(jobs.QueueSMS); err != nil {
		t.Errorf("a thousand: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event_id":"` + other + `","kind":"appointment.booked","appointment_id":"` + appointment + `","occurred_at":"2026-11-21T10:00:00Z"}`))
	f.Add([]byte(`{"ids":["` + appointment + `"]}`))
	f.Add([]byte(`{"at":"2026-11-21T10:00:00Z"}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, payload []byte) {
		decoders := map[string]func(*asynq.Task) error{
			jobs.TypeEvent:   func(t *asynq.Task) error { _, err := jobs.DecodeEvent(t); return err },
			jobs.TypeDeliver: func(t *asynq.Task) error { _, err := jobs.DecodeDeliver(t); return err },
			jobs.TypeSweep:   func(t *asynq.Task) error { _, err := jobs.DecodeSweep(t); return err },
		}
		for taskType, decode := range decoders {
			if err := decode(asynq.NewTask(taskType, payload)); err != nil && !errors.Is(err, asynq.SkipRetry) {
				t.Errorf("%s: %v would be tried again", taskType, err)
			}
		}
	})
}
