package reply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

func TestWhatAnAnswerMakesOfAReply(t *testing.T) {
	t.Parallel()
	const left = 10 * time.Minute // of its day
	type outcome struct {
		result reply.Result
		refund bool
		after  time.Duration // at least
		before time.Duration
	}
	cases := map[string]struct {
		answer deliver.Answer
		want   outcome
	}{
		"accepted":              {deliver.Answer{Verdict: deliver.Accepted}, outcome{result: reply.Posted}},
		"refused, as by a 404":  {deliver.Answer{Verdict: deliver.Refused}, outcome{result: reply.Dropped}},
		"later":                 {deliver.Answer{Verdict: deliver.Later}, outcome{before: 5*time.Second + time.Millisecond}},
		"later, as asked":       {deliver.Answer{Verdict: deliver.Later, RetryAfter: time.Minute}, outcome{after: time.Minute, before: time.Minute}},
		"busy":                  {deliver.Answer{Verdict: deliver.Busy}, outcome{refund: true, before: 5*time.Second + time.Millisecond}},
		"busy, as asked":        {deliver.Answer{Verdict: deliver.Busy, RetryAfter: time.Minute}, outcome{refund: true, after: time.Minute, before: time.Minute}},
		"a stranger":            {deliver.Answer{Verdict: deliver.Misconfigured}, outcome{refund: true, after: 30 * time.Second, before: 30 * time.Second}},
		"none at all":           {deliver.Answer{}, outcome{before: 5*time.Second + time.Millisecond}},
		"later than of use":     {deliver.Answer{Verdict: deliver.Later, RetryAfter: left}, outcome{result: reply.Expired}},
		"just before its end":   {deliver.Answer{Verdict: deliver.Later, RetryAfter: left - 1}, outcome{after: left - 1, before: left - 1}},
		"busy longer than used": {deliver.Answer{Verdict: deliver.Busy, RetryAfter: time.Hour}, outcome{result: reply.Expired, refund: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOutbox(kept("r1", time.Now().Add(left-24*time.Hour)))
				var observed []reply.Outcome
				p := newPoster(t, o, func(context.Context, reply.Reply) deliver.Answer { return c.answer })
				p.Observe = func(_ reply.Reply, o reply.Outcome) { observed = append(observed, o) }
				err := p.Post(t.Context())
				if (err != nil) != (c.answer.Verdict == deliver.Misconfigured) {
					t.Errorf("error %v", err)
				}
				got := o.of("r1")
				if diff := cmp.Diff(got, observed); diff != "" || len(got) != 1 {
					t.Fatalf("recorded %v, observed %v", got, observed)
				}
				wait := time.Duration(0)
				if !got[0].NotBefore.IsZero() {
					wait = time.Until(got[0].NotBefore)
				}
				if got[0].Result != c.want.result || got[0].Refund != c.want.refund || wait < c.want.after || wait > c.want.before {
					t.Errorf("%+v, waits %s, want %+v", got[0], wait, c.want)
				}
			})
		})
	}
}

func TestAReplyIsPassedOnForADayAndNotLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		o := newOutbox(kept("r1", began))
		var last time.Duration
		tries := 0
		p := newPoster(t, o, func(context.Context, reply.Reply) deliver.Answer {
			tries++
			last = time.Since(began)
			return deliver.Answer{Verdict: deliver.Later, Err: errors.New("503")}
		})
		ctx, stop := context.WithTimeout(t.Context(), 25*time.Hour)
		defer stop()
		p.Run(ctx, nil)
		all := o.of("r1")
		if end := all[len(all)-1]; end.Result != reply.Expired || end.At.Sub(began) > 24*time.Hour {
			t.Errorf("ended as %q after %s", end.Result, end.At.Sub(began))
		}
		if last < 24*time.Hour-deliver.Most-time.Second || tries < 100 {
			t.Errorf("given up after %s and %d tries", last, tries)
		}
	})
}

func TestAReplyFoundTooLateIsNotPosted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("late", time.Now().Add(-24*time.Hour)), kept("in time", time.Now().Add(time.Nanosecond-24*time.Hour)))
		p := newPoster(t, o, func(_ context.Context, r reply.Reply) deliver.Answer {
			if r.ID == "late" {
				t.Error("it is posted")
			}
			return deliver.Answer{Verdict: deliver.Accepted}
		})
		if err := p.Post(t.Context()); err != nil {
			t.Fatal(err)
		}
		if o.of("late")[0].Result != reply.Expired || o.of("in time")[0].Result != reply.Posted {
			t.Errorf("%v", o.outcomes)
		}
	})
}

func TestAMainAppThatDoesNotKnowUsIsLeftInPeace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		for i := range 20 {
			o.add(kept(fmt.Sprint("r", i), time.Now()))
		}
		var asked atomic.Int32
		var known atomic.Bool
		p := newPoster(t, o, func(context.Context, reply.Reply) deliver.Answer {
			asked.Add(1)
			if known.Load() {
				return deliver.Answer{Verdict: deliver.Accepted}
			}
			return deliver.Answer{Verdict: deliver.Misconfigured, Err: errors.New("401")}
		})
		ctx, stop := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		done := make(chan struct{})
		go func() { p.Run(ctx, wake); close(done) }()
		synctest.Wait()
		wake <- struct{}{} // another reply is no reason to ask
		<-time.After(29 * time.Second)
		synctest.Wait()
		if n := asked.Load(); n != 8 {
			t.Errorf("asked %d times in half a minute", n)
		}
		known.Store(true)
		<-time.After(2 * time.Second)
		synctest.Wait()
		stop()
		<-done
		if n := asked.Load(); n != 28 || len(o.open) != 0 {
			t.Errorf("asked %d times, %d are open", n, len(o.open))
		}
		if first := o.of("r0"); first[len(first)-1].Result != reply.Posted {
			t.Errorf("%v", first)
		}
	})
}

func TestPostingBeginsWhenWokenAndOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		p := newPoster(t, o, answers(deliver.Accepted))
		ctx, stop := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		done := make(chan struct{})
		go func() { p.Run(ctx, wake); close(done) }()
		synctest.Wait()
		o.add(kept("r1", time.Now()))
		wake <- struct{}{}
		synctest.Wait()
		if len(o.of("r1")) != 1 {
			t.Error("not woken")
		}
		o.add(kept("r2", time.Now()))
		<-time.After(time.Second)
		synctest.Wait()
		if len(o.of("r2")) != 1 {
			t.Error("not looked for")
		}
		stop()
		<-done
	})
}

func TestASlowAnswerHoldsUpNoOtherNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("slow", time.Now()), kept("quick", time.Now()))
		p := newPoster(t, o, func(ctx context.Context, r reply.Reply) deliver.Answer {
			if r.ID == "slow" {
				<-ctx.Done()
				return deliver.Answer{Verdict: deliver.Later}
			}
			return deliver.Answer{Verdict: deliver.Accepted}
		})
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- p.Post(t.Context()) }()
		synctest.Wait()
		if len(o.of("quick")) != 1 {
			t.Error("the quick one waits")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != p.Limits.Request || p.Limits.Claim <= took {
			t.Errorf("the slow one took %s, within a claim of %s", took, p.Limits.Claim)
		}
		for _, terms := range o.claims {
			if terms.Lease != p.Limits.Claim || terms.Turns < 2 {
				t.Errorf("claimed on %+v", terms)
			}
		}
	})
}

func TestAStopBreaksARequestOffAndGivesTheReplyBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("r1", time.Now()))
		p := newPoster(t, o, func(ctx context.Context, _ reply.Reply) deliver.Answer {
			<-ctx.Done()
			return deliver.Answer{Verdict: deliver.Later, Err: ctx.Err()}
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx, nil); close(done) }()
		synctest.Wait()
		began := time.Now()
		stop()
		<-done
		got := o.of("r1")
		if len(got) != 1 || got[0].Result != "" || !got[0].Refund || got[0].NotBefore.After(began) || time.Now().After(began) {
			t.Errorf("%+v", got)
		}
	})
}

func TestAPanicIsATryThatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("r1", time.Now()))
		p := newPoster(t, o, func(context.Context, reply.Reply) deliver.Answer { panic("Ann") })
		if err := p.Post(t.Context()); err != nil {
			t.Error(err)
		}
		if got := o.of("r1"); len(got) != 1 || got[0].Result != "" || got[0].Refund {
			t.Errorf("%+v", got)
		}
	})
}

func TestADatabaseThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("r1", time.Now()))
		back := time.Now().Add(10 * time.Second)
		o.away = func() error {
			if time.Now().Before(back) {
				return errors.New("away")
			}
			return nil
		}
		log, text := newLog(t)
		p := newPoster(t, o, answers(deliver.Accepted))
		p.Log = log
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		p.Run(ctx, nil)
		if got := o.of("r1"); len(got) != 1 || got[0].Result != reply.Posted {
			t.Errorf("%+v", got)
		}
		if n := strings.Count(text.String(), "could not be claimed"); n != 10 {
			t.Errorf("said %d times", n)
		}
	})
}

func TestAnOutcomeThatCameTooLateIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox(kept("r1", time.Now()))
		o.lost = true
		p := newPoster(t, o, answers(deliver.Accepted))
		p.Observe = func(reply.Reply, reply.Outcome) { t.Error("counted") }
		if err := p.Post(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestManyRepliesArePostedEightAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOutbox()
		for i := range 30 {
			o.add(kept(fmt.Sprintf("r%02d", i), time.Now()))
		}
		var mu sync.Mutex
		flying, most, order := 0, 0, []string(nil)
		p := newPoster(t, o, func(_ context.Context, r reply.Reply) deliver.Answer {
			mu.Lock()
			flying++
			most = max(most, flying)
			order = append(order, r.ID)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			flying--
			mu.Unlock()
			return deliver.Answer{Verdict: deliver.Accepted}
		})
		if err := p.Post(t.Context()); err != nil {
			t.Error(err)
		}
		slices.Sort(order)
		if most != 8 || len(slices.Compact(order)) != 30 || len(o.open) != 0 {
			t.Errorf("%d at once, %d posted", most, len(order))
		}
	})
}
