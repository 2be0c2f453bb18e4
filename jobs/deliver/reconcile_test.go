package deliver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// forgetful is a ledger that has forgotten the same on each channel.
type forgetful struct {
	asked []string
	ids   []string
	err   error
}

func (f *forgetful) Forgotten(_ context.Context, c recipients.Channel, _ time.Time, after time.Duration, _ int) ([]string, error) {
	f.asked = append(f.asked, fmt.Sprint(c, " after ", after))
	return f.ids, f.err
}

type backlog map[recipients.Channel]time.Duration

func (b backlog) Age(c recipients.Channel) (time.Duration, error) {
	if b == nil {
		return 0, errors.New("away")
	}
	return b[c], nil
}

func newReconciler(ledger *forgetful, queue *memQueue, b backlog) *deliver.Reconciler {
	return &deliver.Reconciler{
		Ledger: ledger, Backlog: b, Queue: queue, Now: time.Now, After: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil)),
	}
}

func TestWhatWaitsInALongQueueIsNotForgotten(t *testing.T) {
	t.Parallel()
	ledger, queue := &forgetful{ids: []string{"a", "b"}}, &memQueue{}
	r := newReconciler(ledger, queue, backlog{recipients.Email: 7 * time.Minute})
	n, err := r.Reconcile(t.Context())
	if n != 4 || err != nil {
		t.Errorf("%d put back, %v", n, err)
	}
	if diff := cmp.Diff([]string{"sms after 10s", "email after 7m10s"}, ledger.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(queue.offered) != 2 {
		t.Errorf("offered %v", queue.offered)
	}
}

func TestAReconcilerTellsWhatItCouldNotDo(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	cases := map[string]*deliver.Reconciler{
		"Redis is away":             newReconciler(&forgetful{}, &memQueue{}, nil),
		"the ledger is away":        newReconciler(&forgetful{err: away}, &memQueue{}, backlog{}),
		"the queue is away by then": newReconciler(&forgetful{ids: []string{"a"}}, &memQueue{err: away}, backlog{}),
	}
	for name, r := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := r.Reconcile(t.Context()); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestNothingForgottenIsNothingToDo(t *testing.T) {
	t.Parallel()
	queue := &memQueue{}
	if n, err := newReconciler(&forgetful{}, queue, backlog{}).Reconcile(t.Context()); n != 0 || err != nil || queue.offered != nil {
		t.Errorf("%d, %v, %v", n, err, queue.offered)
	}
}
