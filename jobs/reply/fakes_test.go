package reply_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

// newLog returns a log that fails the test if it shows anything of a person.
func newLog(t *testing.T) (*slog.Logger, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	t.Cleanup(func() {
		for _, private := range []string{"5550101", "Ann", "Late"} {
			if strings.Contains(log.String(), private) {
				t.Errorf("the log shows %q:\n%s", private, &log)
			}
		}
	})
	return slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), &log
}

type storeFunc func(context.Context, reply.Inbound, time.Time, func(reply.Inbound, []reply.Sent) reply.Reply) (reply.Reply, bool, error)

func (f storeFunc) KeepReply(
	ctx context.Context, in reply.Inbound, since time.Time, understand func(reply.Inbound, []reply.Sent) reply.Reply,
) (reply.Reply, bool, error) {
	return f(ctx, in, since, understand)
}

// memOutbox is an outbox in memory. As the real one does, it fails on a context
// that is done.
type memOutbox struct {
	mu       sync.Mutex
	open     map[string]reply.Reply
	due      map[string]time.Time
	outcomes map[string][]reply.Outcome
	claims   []reply.Terms
	lost     bool         // every claim has gone to somebody else
	away     func() error // of both; nil: it is there
}

func newOutbox(replies ...reply.Reply) *memOutbox {
	o := &memOutbox{open: map[string]reply.Reply{}, due: map[string]time.Time{}, outcomes: map[string][]reply.Outcome{}}
	for _, r := range replies {
		o.open[r.ID] = r
	}
	return o
}

func (o *memOutbox) add(r reply.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[r.ID] = r
}

func (o *memOutbox) answer(ctx context.Context) error {
	if o.away != nil {
		return cmp.Or(ctx.Err(), o.away())
	}
	return ctx.Err()
}

func (o *memOutbox) ClaimReplies(ctx context.Context, t reply.Terms) (reply.Claim, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.answer(ctx); err != nil {
		return reply.Claim{}, err
	}
	o.claims = append(o.claims, t)
	claim := reply.Claim{ID: fmt.Sprint("claim ", len(o.claims))}
	for _, id := range slices.Sorted(maps.Keys(o.open)) {
		if o.due[id].After(t.Now) || len(claim.Replies) == t.Most {
			continue
		}
		r := o.open[id]
		r.Attempts++
		o.open[id], o.due[id] = r, t.Now.Add(t.Lease)
		claim.Replies = append(claim.Replies, r)
	}
	return claim, nil
}

func (o *memOutbox) RecordReply(ctx context.Context, _ string, out reply.Outcome) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.answer(ctx); err != nil || o.lost {
		return false, err
	}
	o.outcomes[out.ReplyID] = append(o.outcomes[out.ReplyID], out)
	r := o.open[out.ReplyID]
	if out.Refund {
		r.Attempts--
	}
	o.open[out.ReplyID], o.due[out.ReplyID] = r, out.NotBefore
	if out.Result != "" {
		delete(o.open, out.ReplyID)
	}
	return true, nil
}

// of returns what was recorded of a reply, the oldest first.
func (o *memOutbox) of(id string) []reply.Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.outcomes[id])
}

type mainAppFunc func(context.Context, reply.Reply) deliver.Answer

func (f mainAppFunc) PostReply(ctx context.Context, r reply.Reply) deliver.Answer { return f(ctx, r) }

// answers is a main app that always answers the same.
func answers(v deliver.Verdict) mainAppFunc {
	return func(context.Context, reply.Reply) deliver.Answer { return deliver.Answer{Verdict: v} }
}

// kept is a reply that came at the given time.
func kept(id string, at time.Time) reply.Reply {
	r := reply.Reply{Inbound: inbound("Late, Ann"), ID: id, Meaning: reply.Other}
	r.ReceivedAt = at
	return r
}

// newPoster is to be made within a synctest bubble, whose clock it goes by.
func newPoster(t *testing.T, o *memOutbox, app mainAppFunc) *reply.Poster {
	t.Helper()
	log, _ := newLog(t)
	return &reply.Poster{Outbox: o, MainApp: app, Limits: deliver.LimitsWithin(25 * time.Second), Now: time.Now, Log: log}
}
