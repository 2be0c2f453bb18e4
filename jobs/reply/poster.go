package reply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"rappel/jobs/deliver"
)

// An Outbox holds the replies that the main app does not have yet.
type Outbox interface {
	// ClaimReplies takes open replies that are due and that nobody else is
	// posting, the oldest first. One waits for an older one of its number, until
	// that was tried so often that the fault seems to be its own.
	ClaimReplies(ctx context.Context, t Terms) (Claim, error)
	// RecordReply keeps what became of a claimed reply. It is false, and keeps
	// nothing, where the claim has gone to somebody else.
	RecordReply(ctx context.Context, claimID string, o Outcome) (bool, error)
}

// Terms are what replies are claimed on.
type Terms struct {
	Now   time.Time     // the clock that people's messages go by
	Lease time.Duration // how long the claim holds
	Most  int           // how many
	Turns int           // how many attempts at one reply the next of its number waits for
}

// A Claim is what one poster may post, and nobody else.
type Claim struct {
	ID      string
	Replies []Reply
}

// A Result is how a reply ended. The zero Result is none: it is still open.
type Result string

// The results.
const (
	Posted  Result = "posted"  // the main app has it
	Dropped Result = "dropped" // the main app will not have it
	Expired Result = "expired" // the main app could not be reached for a day
)

// An Outcome is what is recorded of a claimed reply.
type Outcome struct {
	ReplyID   string
	Result    Result    // empty: ask again at NotBefore
	NotBefore time.Time // of no Result
	Refund    bool      // the try does not count as an attempt
	At        time.Time
}

// A MainApp is told of replies. It answers within the time that ctx leaves.
type MainApp interface {
	PostReply(ctx context.Context, r Reply) deliver.Answer
}

// A Poster passes replies on to the main app.
type Poster struct {
	Outbox  Outbox
	MainApp MainApp
	Limits  deliver.Limits
	Now     func() time.Time
	Log     *slog.Logger
	// Observe is told of each outcome; it may be nil.
	Observe func(Reply, Outcome)
	// Turned is called after each try to claim and post some; it may be nil.
	Turned func()
}

const (
	poll   = time.Second      // how often replies are looked for even if nobody says there are any
	rest   = 30 * time.Second // before the main app is asked again, after it did not know us
	ofUse  = 24 * time.Hour   // how long a reply is passed on
	turns  = 10               // see Terms: some twenty minutes
	atOnce = 8                // replies in flight, each of another number
)

// errStranger says that the main app does not know us: it takes no reply, but
// none of them is at fault.
var errStranger = errors.New("the main app does not know us")

// Run posts replies until ctx is done: whenever wake says so, and once a second
// in case nobody does.
func (p *Poster) Run(ctx context.Context, wake <-chan struct{}) {
	for {
		wait, woken := poll, wake
		err := p.Post(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errStranger):
			wait, woken = rest, nil // a new reply changes nothing about that
			p.Log.ErrorContext(ctx, "replies wait", "error", err)
		case err != nil:
			p.Log.ErrorContext(ctx, "replies wait: they could not be claimed or recorded", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-time.After(wait):
		}
	}
}

// Post posts all replies that are due.
func (p *Poster) Post(ctx context.Context) error {
	for {
		posted, err := p.postSome(ctx)
		if p.Turned != nil {
			p.Turned()
		}
		if err != nil || posted == 0 {
			return err
		}
	}
}

// claimWithin bounds the claim, whatever the outbox does.
const claimWithin = 15 * time.Second

// postSome claims and posts as many replies as may be in flight, and returns how
// many there were.
func (p *Poster) postSome(ctx context.Context) (int, error) {
	claiming, cancel := context.WithTimeout(ctx, claimWithin)
	defer cancel()
	claim, err := p.Outbox.ClaimReplies(claiming, Terms{Now: p.Now(), Lease: p.Limits.Claim, Most: atOnce, Turns: turns})
	if err != nil {
		return 0, fmt.Errorf("claim replies: %w", err)
	}
	return len(claim.Replies), cmp.Or(p.postAll(ctx, claim), ctx.Err())
}

func (p *Poster) postAll(ctx context.Context, claim Claim) error {
	errs := make([]error, len(claim.Replies))
	var posting sync.WaitGroup
	for i, r := range claim.Replies {
		posting.Go(func() { errs[i] = p.post(ctx, claim.ID, r) })
	}
	posting.Wait()
	return cmp.Or(errs...)
}

// post posts one reply and records what became of it.
func (p *Poster) post(ctx context.Context, claimID string, r Reply) error {
	if !p.Now().Before(r.ReceivedAt.Add(ofUse)) {
		return p.record(ctx, claimID, r, Outcome{ReplyID: r.ID, Result: Expired, At: p.Now()}, nil)
	}
	answer := p.try(ctx, r)
	if err := p.record(ctx, claimID, r, p.outcome(ctx, r, answer), answer.Err); err != nil {
		return err
	}
	if answer.Verdict == deliver.Misconfigured {
		return errStranger
	}
	return nil
}

// try asks the main app. A stop of the process breaks it off: asked again, the
// main app recognises the reply's id.
func (p *Poster) try(ctx context.Context, r Reply) (a deliver.Answer) {
	ctx, cancel := context.WithTimeout(ctx, p.Limits.Request)
	defer cancel()
	defer func() {
		if recover() != nil {
			a = deliver.Answer{Verdict: deliver.Later, Err: errors.New("posting a reply panicked")}
		}
	}()
	return p.MainApp.PostReply(ctx, r)
}

// outcome translates an answer into what is recorded.
func (p *Poster) outcome(ctx context.Context, r Reply, a deliver.Answer) Outcome {
	o := Outcome{ReplyID: r.ID, At: p.Now()}
	wait := deliver.Delay(r.Attempts, a.RetryAfter)
	switch a.Verdict {
	case deliver.Accepted:
		o.Result = Posted
		return o
	case deliver.Refused:
		o.Result = Dropped
		return o
	case deliver.Misconfigured:
		o.Refund, wait = true, rest
	case deliver.Busy:
		o.Refund = true
	default:
		if ctx.Err() != nil { // we broke it off
			o.Refund, wait = true, 0
		}
	}
	o.NotBefore = o.At.Add(wait)
	if !o.NotBefore.Before(r.ReceivedAt.Add(ofUse)) {
		o.Result, o.NotBefore = Expired, time.Time{}
	}
	return o
}

// recordWithin bounds the recording, which goes on when the process is stopped.
const recordWithin = 5 * time.Second

func (p *Poster) record(ctx context.Context, claimID string, r Reply, o Outcome, problem error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	held, err := p.Outbox.RecordReply(ctx, claimID, o)
	if err != nil {
		return fmt.Errorf("record a reply: %w", err)
	}
	if !held {
		p.Log.WarnContext(ctx, "a reply's outcome came after its claim had gone", "reply", r.ID, "outcome", o.Result)
		return nil
	}
	p.tell(ctx, r, o, problem)
	return nil
}

// tell says what became of a reply, to the log and to the metrics.
func (p *Poster) tell(ctx context.Context, r Reply, o Outcome, problem error) {
	level := slog.LevelInfo
	if o.Result != Posted {
		level = slog.LevelWarn
	}
	p.Log.Log(ctx, level, "reply passed on", "reply", r.ID, "meaning", r.Meaning, "practice", r.PracticeID,
		"outcome", o.Result, "attempt", r.Attempts, "problem", problem)
	if p.Observe != nil {
		p.Observe(r, o)
	}
}
