package plan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/jobs"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// memStore keeps events in memory, all about the same visit. An event or rule
// whose id is poison makes the whole transaction fail that holds it.
type memStore struct {
	mu       sync.Mutex
	snapshot *practice.Snapshot
	waiting  []plan.Event
	kept     []plan.Decision
	aside    []string
	givenUp  []plan.Decision
	added    []plan.Event
	calls    int
	sizes    []int // of what was planned of rules at once
	away     error
}

const poison = "poison"

// poisonError is what the store says of it.
type poisonError struct{}

func (poisonError) Error() string { return "a value that cannot be read" }

func (s *memStore) AddEvents(_ context.Context, events []plan.Event) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added = append(s.added, events...)
	return len(events), s.away
}

func (s *memStore) PlanEvents(
	ctx context.Context, limit int, decide func(plan.Event, *practice.Snapshot) (plan.Decision, bool),
) (int, []plan.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err := errors.Join(ctx.Err(), s.away); err != nil {
		return 0, nil, err
	}
	taken := s.waiting[:min(limit, len(s.waiting))]
	var made []plan.Decision
	for _, e := range taken {
		if e.ID == poison {
			return 0, nil, &plan.EventError{Event: e, Err: poisonError{}}
		}
		if d, ok := decide(e, s.snapshot); ok {
			made = append(made, d)
		}
	}
	s.waiting = s.waiting[len(taken):]
	s.kept = append(s.kept, made...)
	return len(taken), made, nil
}

func (s *memStore) SetAside(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aside = append(s.aside, id)
	tried := false
	s.waiting = slices.DeleteFunc(s.waiting, func(e plan.Event) bool {
		tried = tried || e.ID == id && e.Stale
		return e.ID == id
	})
	return tried, s.away
}

func (s *memStore) GiveUp(_ context.Context, d plan.Decision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenUp = append(s.givenUp, d)
	return s.away
}

func (s *memStore) Blame(context.Context, string, string, string) plan.Blame {
	return plan.Blame{Relation: "clients", Column: "email", ID: "c"}
}

func (s *memStore) PlanRules(
	_ context.Context, due []plan.Due, decide func(plan.Rule, *practice.Snapshot) (plan.Decision, bool),
) ([]plan.Decision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.sizes = append(s.sizes, len(due))
	if s.away != nil {
		return nil, s.away
	}
	var made []plan.Decision
	for _, d := range due {
		if d.AppointmentID == poison {
			return nil, poisonError{}
		}
		if decision, ok := decide(d.Rule, s.snapshot); ok {
			made = append(made, decision)
		}
	}
	s.kept = append(s.kept, made...)
	return made, nil
}

type memQueue struct {
	mu     sync.Mutex
	offers []string
	err    error
}

func (q *memQueue) OfferAt(_ context.Context, c recipients.Channel, ids []string, at time.Time) error {
	when := "now"
	if !at.IsZero() {
		when = at.UTC().Format(time.RFC3339Nano)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.offers = append(q.offers, fmt.Sprintf("%d by %s, %s", len(ids), c, when))
	return q.err
}

type office struct {
	*plan.Planner

	store *memStore
	queue *memQueue
	log   *bytes.Buffer
}

func newOffice(t *testing.T) office {
	t.Helper()
	s := visit(t)
	o := office{store: &memStore{snapshot: s.s}, queue: &memQueue{}, log: &bytes.Buffer{}}
	o.Planner = &plan.Planner{
		Store: o.store, Queue: o.queue, Now: func() time.Time { return s.now },
		Log: slog.New(slog.NewJSONHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(func() {
		for _, private := range []string{"Ann", "Lee", "example.com", "5550101"} {
			if strings.Contains(o.log.String(), private) {
				t.Errorf("the log shows %q:\n%s", private, o.log)
			}
		}
	})
	return o
}

// booked returns n events about the visit.
func booked(n int) []plan.Event {
	all := make([]plan.Event, n)
	for i := range all {
		all[i] = plan.Event{ID: fmt.Sprint("e", i), Kind: kind.Booked, AppointmentID: "a"}
	}
	return all
}

func TestEventsArePlannedAndOfferedAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.waiting = booked(250)
	var observed atomic.Int32
	o.Observe = func(plan.Decision) { observed.Add(1) }
	n, err := o.Events(t.Context())
	if n != 250 || err != nil || len(o.store.kept) != 250 || observed.Load() != 250 {
		t.Errorf("%d planned, %d kept, %d observed: %v", n, len(o.store.kept), observed.Load(), err)
	}
	ids := map[string]bool{}
	for _, d := range o.store.kept {
		ids[d.ID] = true
		for _, n := range d.Notifications {
			ids[n.ID] = true
		}
	}
	if want := 250 * (1 + 3); len(ids) != want {
		t.Errorf("%d ids, want %d", len(ids), want)
	}
	for id := range ids {
		if u, err := uuid.Parse(id); err != nil || u.Version() != 7 {
			t.Fatalf("id %q", id)
		}
	}
	slices.Sort(o.queue.offers)
	want := []string{
		"100 by sms, now", "100 by sms, now", "200 by email, now", "200 by email, now", "50 by sms, now",
		"100 by email, now",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, o.queue.offers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEventThatCannotBePlannedDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.waiting = booked(20)
	o.store.waiting[7].ID = poison
	if n, err := o.Events(t.Context()); n != 19 || err != nil {
		t.Errorf("%d planned, %v", n, err)
	}
	if diff := cmp.Diff([]string{poison}, o.store.aside); diff != "" {
		t.Errorf("set aside (-want +got):\n%s", diff)
	}
	if !strings.Contains(o.log.String(), `"level":"ERROR"`) {
		t.Errorf("ops are not told:\n%s", o.log)
	}
}

func TestAStoreThatIsAwayIsAskedAgainLater(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.away = errors.New("away")
	o.store.waiting = booked(1)
	if _, err := o.Events(t.Context()); !errors.Is(err, o.store.away) {
		t.Errorf("error %v", err)
	}
	if o.store.calls > 3 {
		t.Errorf("asked %d times", o.store.calls)
	}
	if _, err := o.Rules(t.Context(), dues(50), o.Now(), o.Now()); !errors.Is(err, o.store.away) {
		t.Errorf("error %v", err)
	}
	if o.store.calls > 12 {
		t.Errorf("asked %d times", o.store.calls)
	}
}

// dues returns n rules that fell due; the visit is over a week away.
func dues(n int) []plan.Due {
	all := make([]plan.Due, n)
	for i := range all {
		all[i] = plan.Due{Rule: before(9*day + 3*60), AppointmentID: fmt.Sprint("a", i)}
	}
	return all
}

func TestARuleThatCannotBeDecidedDoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]bool{"a later sweep tries again": false, "the last try is decided": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			var failed []string
			o.Failed = func(relation string) { failed = append(failed, relation) }
			due := dues(250)
			due[120].AppointmentID, due[120].LastTry, due[120].StartsAt = poison, last, o.Now()
			n, err := o.Rules(t.Context(), due, o.Now(), o.Now())
			if n != 249 || !errors.Is(err, plan.UndecidedError(1)) || !slices.Equal(failed, []string{"clients"}) {
				t.Errorf("%d decided, %v, failed %v", n, err, failed)
			}
			if !strings.Contains(o.log.String(), `"appointment":"poison","relation":"clients","column":"email","row":"c"`) {
				t.Errorf("the log does not name the row:\n%s", o.log)
			}
			if len(o.store.givenUp) != map[bool]int{true: 1}[last] {
				t.Fatalf("given up: %+v", o.store.givenUp)
			}
			for _, d := range o.store.givenUp {
				if d.AppointmentID != poison || d.Outcome != recipients.Skipped || d.Detail != "unreadable: rappel.clients c, column email" || d.ID == "" || !d.StartsAt.Equal(o.Now()) {
					t.Errorf("given up: %+v", d)
				}
			}
		})
	}
}

func TestAnEventThatNeverCanBePlannedIsDecided(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.waiting = booked(20)
	o.store.waiting[7].ID, o.store.waiting[7].Stale = poison, true
	if n, err := o.Events(t.Context()); n != 19 || err != nil {
		t.Errorf("%d planned, %v", n, err)
	}
	if len(o.store.givenUp) != 1 || o.store.givenUp[0].EventID != poison || o.store.givenUp[0].Detail != "unreadable: rappel.clients c, column email" {
		t.Errorf("given up: %+v", o.store.givenUp)
	}
}

func TestWhatIsNotDueYetMakesNoDecision(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	due := dues(3)
	due[1].Rule = before(60)
	if n, err := o.Rules(t.Context(), due, o.Now(), o.Now()); n != 2 || err != nil {
		t.Errorf("%d decided, %v", n, err)
	}
}

func TestWhatWaitsIsOfferedNotBeforeItsTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.snapshot.Client.Method, o.store.snapshot.Contacts = "sms", nil
	o.store.snapshot.Appointment.StartsAt = at(t, "2026-12-10T15:00:00-05:00").Add(500 * time.Millisecond)
	night := at(t, "2026-12-10T03:00:01-05:00")
	if n, err := o.Rules(t.Context(), []plan.Due{{Rule: before(12 * 60), AppointmentID: "a"}}, night, night); n != 1 || err != nil {
		t.Fatalf("%d decided, %v", n, err)
	}
	if diff := cmp.Diff([]string{"1 by sms, 2026-12-10T13:00:00Z"}, o.queue.offers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAQueueThatIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.store.waiting = booked(2)
	o.queue.err = errors.New("away")
	if n, err := o.Events(t.Context()); n != 2 || err != nil {
		t.Errorf("%d planned, %v", n, err)
	}
	if !strings.Contains(o.log.String(), `"level":"WARN"`) {
		t.Errorf("ops are not told:\n%s", o.log)
	}
}

func TestAPlannerLooksWhenWokenAndOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		ctx, stop := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.Run(ctx, wake)
		}()
		calls := func(want int) {
			t.Helper()
			synctest.Wait()
			o.store.mu.Lock()
			defer o.store.mu.Unlock()
			if o.store.calls != want {
				t.Errorf("looked %d times, want %d", o.store.calls, want)
			}
		}
		calls(1)
		wake <- struct{}{}
		calls(2)
		<-time.After(time.Second)
		calls(3)
		o.store.mu.Lock()
		o.store.away = errors.New("away") // and it goes on
		o.store.mu.Unlock()
		<-time.After(time.Second)
		synctest.Wait()
		o.store.mu.Lock()
		o.store.away, o.store.calls = nil, 0
		o.store.mu.Unlock()
		<-time.After(time.Second)
		calls(1)
		stop()
		<-done
	})
}

func TestAnEventThatCameAsATaskIsKeptThenPlanned(t *testing.T) {
	t.Parallel()
	const appointment = "0190c2a4-7d1e-7b3a-9c55-3f0f6a1d2b11"
	occurred := at(t, "2026-11-21T10:00:00Z")
	e, err := jobs.NewEvent(jobs.Booked, appointment, occurred)
	if err != nil {
		t.Fatal(err)
	}
	noTime := e
	noTime.OccurredAt = time.Time{}
	cases := map[string]struct {
		event jobs.Event
		want  time.Time
	}{
		"with its time":                {e, occurred},
		"without one: when it came in": {noTime, visit(t).now},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			task, err := c.event.Task()
			if err != nil {
				t.Fatal(err)
			}
			woken := 0
			if err := o.HandleEvent(func() { woken++ })(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			want := []plan.Event{{ID: e.ID, Kind: kind.Booked, AppointmentID: appointment, OccurredAt: c.want}}
			if diff := cmp.Diff(want, o.store.added); diff != "" || woken != 1 {
				t.Errorf("woken %d times (-want +got):\n%s", woken, diff)
			}
		})
	}
	t.Run("a store that is away: the task comes again", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.store.away = errors.New("away")
		task, err := e.Task()
		if err != nil {
			t.Fatal(err)
		}
		err = o.HandleEvent(func() { t.Error("woken") })(t.Context(), task)
		if !errors.Is(err, o.store.away) || errors.Is(err, asynq.SkipRetry) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("what cannot be read is given up", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		err := o.HandleEvent(func() { t.Error("woken") })(t.Context(), asynq.NewTask(jobs.TypeEvent, []byte(`{"event_id":"Ann Lee"}`)))
		if !errors.Is(err, asynq.SkipRetry) || strings.Contains(err.Error(), "Ann") {
			t.Errorf("error %v", err)
		}
	})
}
