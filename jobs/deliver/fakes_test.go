package deliver_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"rappel/internal/kind"
	"rappel/internal/practice"
	"rappel/jobs"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

type senderFunc func(context.Context, deliver.Message) deliver.Answer

func (f senderFunc) Send(ctx context.Context, m deliver.Message) deliver.Answer { return f(ctx, m) }

// answers is a way out that always answers the same.
func answers(a deliver.Answer) senderFunc {
	return func(context.Context, deliver.Message) deliver.Answer { return a }
}

// memLedger is a ledger in memory. As the real one does, it fails on a context
// that is done.
type memLedger struct {
	mu       sync.Mutex
	claims   [][]string
	records  [][]deliver.Outcome
	closed   []deliver.Closed
	waiting  []deliver.Waiting
	expired  []string // those that are asked about; all of them are
	parked   map[string]time.Duration
	practice func(id string) string // nil: all are of one
	notAfter time.Time
	attempts int
	about    func(*deliver.Notification)                     // what else the ledger holds of it; nil: nothing
	gone     bool                                            // every claim has gone to somebody else
	refuse   func(ids []string) error                        // of Claim; nil: nothing
	keep     func(ctx context.Context, claimID string) error // of Record; nil: no error
}

func (l *memLedger) practiceOf(id string) string {
	if l.practice == nil {
		return "p"
	}
	return l.practice(id)
}

func (l *memLedger) Due(ctx context.Context, ids []string, _ time.Time) ([]deliver.Due, error) {
	var due []deliver.Due
	for _, id := range ids {
		due = append(due, deliver.Due{ID: id, Practice: l.practiceOf(id)})
	}
	return due, ctx.Err()
}

func (l *memLedger) Park(ctx context.Context, ids []string, wait time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.parked[id] = wait
	}
	return ctx.Err()
}

func (l *memLedger) Claim(
	ctx context.Context, ids []string, _ deliver.Terms,
	_ func(deliver.Notification, *practice.Snapshot, []templates.Source) deliver.Ruling,
) (deliver.Claim, error) {
	if err := ctx.Err(); err != nil {
		return deliver.Claim{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claims = append(l.claims, ids)
	if l.refuse != nil {
		if err := l.refuse(ids); err != nil {
			return deliver.Claim{}, err
		}
	}
	c := deliver.Claim{ID: "claim", Closed: l.closed, Waiting: l.waiting}
	for _, id := range ids {
		n := deliver.Notification{
			ID: id, PracticeID: l.practiceOf(id), Kind: kind.Reminder, Channel: recipients.SMS, NotAfter: l.notAfter, Attempts: l.attempts,
		}
		if l.about != nil {
			l.about(&n)
		}
		c.Messages = append(c.Messages, deliver.Claimed{
			Notification: n,
			Message:      deliver.Message{NotificationID: id, To: phone(), Text: deliver.Text{Name: "Ann Lee", Body: "See you"}},
		})
	}
	return c, nil
}

func (l *memLedger) Expire(_ context.Context, id string, now time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.notAfter.IsZero() || now.Before(l.notAfter) {
		return false, nil
	}
	l.expired = append(l.expired, id)
	return true, nil
}

func (l *memLedger) Record(ctx context.Context, claimID string, outcomes []deliver.Outcome) (int, error) {
	if l.keep != nil {
		if err := l.keep(ctx, claimID); err != nil {
			return 0, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return len(outcomes), nil
	}
	l.records = append(l.records, outcomes)
	return 0, nil
}

// outcomes returns what was recorded, by id.
func (l *memLedger) outcomes() map[string]deliver.Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := map[string]deliver.Outcome{}
	for _, o := range slices.Concat(l.records...) {
		of[o.ID] = o
	}
	return of
}

// memQueue remembers what it was asked to offer, and when.
type memQueue struct {
	mu      sync.Mutex
	offered map[string]time.Time
	err     error
}

func (q *memQueue) OfferAt(_ context.Context, _ recipients.Channel, ids []string, at time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return q.err
	}
	if q.offered == nil {
		q.offered = map[string]time.Time{}
	}
	for _, id := range ids {
		q.offered[id] = at
	}
	return nil
}

func phone() recipients.Address {
	a, err := recipients.ParsePhone("+12015550101", "US")
	if err != nil {
		panic(err)
	}
	return a
}

// A desk is a handler with all that it works with in memory.
type desk struct {
	*deliver.Handler

	ledger *memLedger
	queue  *memQueue
	log    *bytes.Buffer
}

// newDesk takes eleven messages of one practice at once. Its clock is the test's, which stands
// still outside a synctest bubble.
func newDesk(t *testing.T, sender deliver.Sender) desk {
	t.Helper()
	began := time.Now()
	d := desk{ledger: &memLedger{notAfter: began.Add(24 * time.Hour), attempts: 1, parked: map[string]time.Duration{}}, queue: &memQueue{}, log: &bytes.Buffer{}}
	d.Handler = &deliver.Handler{
		Channel: recipients.SMS, Ledger: d.ledger, Sender: sender, Queue: d.queue,
		Limits: deliver.LimitsWithin(25 * time.Second), Now: time.Now, Gate: deliver.NewGate(14, time.Now, nil),
		Senders: deliver.StartSenders(100),
		Log:     slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	t.Cleanup(func() {
		d.Senders.Stop()
		for _, private := range []string{"5550101", "Ann", "See you"} {
			if strings.Contains(d.log.String(), private) {
				t.Errorf("the log shows %q:\n%s", private, d.log)
			}
		}
	})
	return d
}

// id is the id of the nth notification.
func id(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012d", n) }

// task names the first n notifications.
func task(t *testing.T, n int) *asynq.Task {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = id(i)
	}
	made, err := jobs.Deliver{IDs: ids}.Task(jobs.QueueSMS)
	if err != nil {
		t.Fatal(err)
	}
	return made
}
