package deliver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/practice"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

// memArchive holds one scene, for every id that it is asked.
type memArchive struct {
	scene    *scene
	moved    map[string]bool // by somebody else since they were judged
	judged   int
	reopened map[string]time.Time
	err      error // of Reopen
}

func (a *memArchive) Ended(context.Context, deliver.Selection) ([]deliver.Ended, error) {
	return nil, errors.New("not asked by a replayer")
}

func (a *memArchive) Judge(ctx context.Context, ids []string, _ time.Time, look func(deliver.Notification, *practice.Snapshot, []templates.Source)) error {
	for _, id := range ids {
		n := a.scene.n
		n.ID = id
		look(n, a.scene.s, nil)
		a.judged++
	}
	return ctx.Err()
}

func (a *memArchive) Reopen(ctx context.Context, again []deliver.Reopening, _ time.Time) (ids []string, err error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.reopened == nil {
		a.reopened = map[string]time.Time{}
	}
	for _, r := range again {
		if !a.moved[r.ID] {
			ids, a.reopened[r.ID] = append(ids, r.ID), r.NotBefore
		}
	}
	return ids, ctx.Err()
}

// A stage is a replayer with all that it works with in memory, on a reminder
// that may still go.
type stage struct {
	*deliver.Replayer

	archive *memArchive
	queue   *memQueue
	log     *bytes.Buffer
}

func newStage(t *testing.T) stage {
	t.Helper()
	s := stage{archive: &memArchive{scene: reminder(t)}, queue: &memQueue{}, log: &bytes.Buffer{}}
	s.Replayer = &deliver.Replayer{
		Ledger: s.archive, Queue: s.queue, Ruler: deliver.Ruler{Templates: &templates.Cache{}},
		Now: func() time.Time { return s.archive.scene.now }, Rate: 10, Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	return s
}

// ended is the first n notifications, which the receiver refused.
func ended(n int) []deliver.Ended {
	all := make([]deliver.Ended, n)
	for i := range all {
		all[i] = deliver.Ended{ID: id(i), Status: deliver.Failed}
	}
	return all
}

// replay returns what becomes of the first n.
func (s stage) replay(t *testing.T, n int) []deliver.Replay {
	t.Helper()
	var all []deliver.Replay
	err := s.Replay(t.Context(), ended(n), func(r deliver.Replay) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAReplayGoesNoFasterThanItsRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := newStage(t)
		now := s.archive.scene.now
		s.Now = func() time.Time { // judging and reopening take their time
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(r, "ms")) * time.Millisecond)
			return now
		}
		s.Rate = rapid.IntRange(1, 40).Draw(r, "rate")
		n := rapid.SampledFrom([]int{0, 1, 90, deliver.ReplayBatch + 1}).Draw(r, "n")
		begins := map[time.Time]int{}
		for _, p := range s.replay(t, n) {
			if !p.Send || s.archive.reopened[p.ID] != p.NotBefore || s.queue.offered[p.ID] != p.NotBefore {
				r.Fatalf("%+v is reopened for %s and offered for %s", p, s.archive.reopened[p.ID], s.queue.offered[p.ID])
			}
			begins[p.NotBefore]++
		}
		var last time.Time
		for _, second := range sorted(begins) {
			if begins[second] > s.Rate || second.Sub(last) < time.Second {
				r.Fatalf("%d at %s, %s after the last; the rate is %d", begins[second], second, second.Sub(last), s.Rate)
			}
			last = second
		}
	})
}

func sorted(of map[time.Time]int) []time.Time {
	var all []time.Time
	for t := range of {
		all = append(all, t)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func TestADryRunTellsTheSameAndDoesNothing(t *testing.T) {
	t.Parallel()
	really, dry := newStage(t), newStage(t)
	dry.DryRun = true
	want, got := really.replay(t, 25), dry.replay(t, 25)
	addresses := cmp.Comparer(func(a, b recipients.Address) bool { return a == b })
	if diff := cmp.Diff(want, got, addresses); diff != "" || len(got) != 25 {
		t.Errorf("%d (-really +dry):\n%s", len(got), diff)
	}
	if dry.archive.reopened != nil || dry.queue.offered != nil {
		t.Errorf("reopened %v, offered %v", dry.archive.reopened, dry.queue.offered)
	}
}

func TestAReplayIsJudgedForTheSecondAtWhichItWouldGo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Rate = 1
	s.archive.scene.n.NotAfter = s.archive.scene.now.Add(2 * time.Second)
	var got []string
	for _, p := range s.replay(t, 4) {
		got = append(got, fmt.Sprint(p.Send, p.Reason))
	}
	if diff := cmp.Diff([]string{"true", "true", "falsepast", "falsepast"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(s.archive.reopened) != 2 {
		t.Errorf("reopened %v", s.archive.reopened)
	}
}

func TestWhatIsNoLongerRightIsNotReplayed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*scene)
		want   recipients.Reason
	}{
		"the visit was cancelled":  {func(s *scene) { s.s.Appointment.Status = "cancelled" }, recipients.Cancelled},
		"the visit was moved":      {func(s *scene) { s.s.Appointment.StartsAt = s.n.StartsAt.Add(time.Hour) }, recipients.Superseded},
		"the rule no longer is":    {func(s *scene) { s.n.Rule = nil }, recipients.Superseded},
		"it was told again":        {func(s *scene) { s.n.Overtaken = true }, recipients.Superseded},
		"the start has passed":     {func(s *scene) { s.now = s.n.StartsAt }, recipients.Past},
		"the number is no number":  {func(s *scene) { s.s.Client.Phone = "12" }, recipients.InvalidAddress},
		"the person said STOP":     {func(s *scene) { s.s.OptOuts = []recipients.OptOut{{Channel: "sms", Address: "+12015550101"}} }, recipients.OptedOut},
		"the appointment is gone":  {func(s *scene) { s.s = nil }, recipients.Superseded},
		"the person wants no more": {func(s *scene) { s.s.Client.ReceivesReminders = false }, recipients.FlagOff},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c.change(s.archive.scene)
			got := s.replay(t, 1)[0]
			if got.Send || got.Reason != c.want || !got.NotBefore.IsZero() || got.To.String() != "+1•••0101" {
				t.Errorf("%+v", got)
			}
			if len(s.archive.reopened)+len(s.queue.offered) > 0 {
				t.Error("it goes")
			}
		})
	}
}

func TestAReplayThatWaitsForTheWindowKeepsItsDistance(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.Rate = 2
	s.archive.scene.now = at(t, "2026-12-09T23:00:00-05:00")
	var got []string
	for _, p := range s.replay(t, 5) {
		got = append(got, fmt.Sprint(p.Send, " ", p.Waits, " ", p.NotBefore.UTC().Format("02 15:04:05")))
	}
	want := []string{"true true 10 13:00:00", "true true 10 13:00:00", "true true 10 13:00:01", "true true 10 13:00:01", "true true 10 13:00:02"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatSomebodyElseHasMovedIsLeftToThem(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.archive.moved = map[string]bool{id(1): true}
	all := s.replay(t, 3)
	if all[1].Send || all[1].Reason != recipients.Status || !all[0].Send || !all[2].Send {
		t.Errorf("%+v", all)
	}
	if _, offered := s.queue.offered[id(1)]; offered || len(s.queue.offered) != 2 {
		t.Errorf("offered %v", s.queue.offered)
	}
}

func TestAReplayNeedsNoQueueToBeSafe(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.queue.err = errors.New("away")
	if all := s.replay(t, 3); len(s.archive.reopened) != 3 || !all[2].Send {
		t.Errorf("%+v", all)
	}
	if !strings.Contains(s.log.String(), "the reconciler will find them") {
		t.Errorf("the log says\n%s", s.log)
	}
}

func TestAReplayStopsAtAnError(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	full := func(deliver.Replay) error { return away }
	ignore := func(deliver.Replay) error { return nil }
	cases := map[string]struct {
		spoil func(*stage)
		yield func(deliver.Replay) error
	}{
		"the ledger is away":      {func(s *stage) { s.archive.err = away }, ignore},
		"nobody takes the answer": {func(*stage) {}, full},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c.spoil(&s)
			err := s.Replay(t.Context(), ended(2*deliver.ReplayBatch), c.yield)
			if !errors.Is(err, away) || s.archive.judged != deliver.ReplayBatch {
				t.Errorf("%v after %d", err, s.archive.judged)
			}
		})
	}
}

func TestWhoMayHearItTwice(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		ended deliver.Ended
		want  bool
	}{
		"refused, so it never went":               {deliver.Ended{Status: deliver.Failed, Via: deliver.ByTwilio}, false},
		"unknown on a way that knows no repeats":  {deliver.Ended{Status: deliver.Unknown, Via: deliver.ByTwilio}, true},
		"undelivered, as far as SendGrid can say": {deliver.Ended{Status: deliver.Undelivered, Via: deliver.BySendGrid}, true},
		"the main app recognises its key":         {deliver.Ended{Status: deliver.Undelivered, Via: deliver.ByAdmin}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.ended.MayHaveGone(); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
}
