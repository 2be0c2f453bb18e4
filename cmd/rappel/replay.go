package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rappel/internal/app"
	"rappel/internal/config"
)

type replayCommand struct {
	spanFlags

	Status string `default:"failed" help:"What ended so: failed, undelivered or unknown."`
	Reason string `help:"Only what ended for this reason, or with this error code of the receiver." placeholder:"R"`
	Rate   int    `default:"10" help:"How many go out in a second, at most."`
	Yes    bool   `help:"Send them. Without it nothing is written and nothing sent."`
	JSON   bool   `help:"One JSON object a line for each." name:"json"`
}

// Help is the rest of what --help shows.
func (replayCommand) Help() string {
	return `Shows what would be sent again, and what not and why: each is judged as a worker judges it just before sending, on what is
known now. With --yes they go out, as slowly as --rate says, with a text written anew, under the id and Idempotency-Key that
they had. Each is judged once more when it goes. To run it twice sends nothing twice.

Examples:
  rappel replay                                                what failed since yesterday
  rappel replay --from 2026-12-05T00:00:00Z --rate 50 --yes    sends what failed since then` + ending("the work failed", "DATABASE_URL; REDIS_URL with --yes")
}

func (c replayCommand) Run(e *env) error {
	if err := c.mistakes(); err != nil {
		return usage{err}
	}
	needs := config.Database
	if c.Yes {
		needs |= config.Redis
	}
	a, err := e.open(needs)
	if err != nil {
		return err
	}
	defer a.Close()
	span, zone, err := a.Lately(e.ctx, c.span())
	if err != nil {
		return err
	}
	ended, err := a.Ended(e.ctx, app.Selection{
		Status: app.Status(c.Status), Reason: c.Reason, From: span.From, To: span.To, PracticeID: span.PracticeID,
	})
	if err != nil {
		return err
	}
	c.warn(e, ended)
	if c.JSON {
		return c.objects(e, a, ended)
	}
	return c.table(e, a, ended, zone)
}

// mistakes are all there are, at once.
func (c replayCommand) mistakes() error {
	errs := []error{c.spanFlags.mistakes()}
	if why := app.NotReplayable(c.Status); why != "" {
		errs = append(errs, fmt.Errorf("--status %s: %s; only failed, undelivered and unknown are sent again", c.Status, why))
	}
	if c.Rate < 1 {
		errs = append(errs, errors.New("--rate must be at least 1"))
	}
	return errors.Join(errs...)
}

// warn says what another attempt may mean to people.
func (c replayCommand) warn(e *env, ended []app.Ended) {
	twice, kept := 0, 0
	for _, n := range ended {
		switch {
		case n.MayHaveGone():
			twice++
		case c.Status == "undelivered":
			kept++
		}
	}
	if twice > 0 {
		fmt.Fprintf(e.stderr, "rappel: warning: %d of these may have arrived, and went by a way that recognises no repeat: somebody may get the message twice\n", twice)
	}
	if kept > 0 {
		fmt.Fprintf(e.stderr, "rappel: warning: %d of these were accepted by the main app, which sends again only if it forgets the key of what was not delivered\n", kept)
	}
}

// run replays, and shows the progress of long work.
func (c replayCommand) run(e *env, a *app.App, ended []app.Ended, p *progress, yield func(app.Replay) error) error {
	defer p.end()
	return a.Replay(e.ctx, ended, c.Rate, !c.Yes, func(r app.Replay) error {
		p.step()
		return yield(r)
	})
}

func (c replayCommand) objects(e *env, a *app.App, ended []app.Ended) error {
	p := e.progress("replay", len(ended))
	out := json.NewEncoder(p.beside(e.stdout))
	return c.run(e, a, ended, p, func(r app.Replay) error { return out.Encode(replayLine(r)) })
}

// replayLine is a replay as a program reads it: the address is masked by type.
func replayLine(r app.Replay) any {
	line := struct {
		ID        string     `json:"notification_id"`
		Kind      string     `json:"kind"`
		Channel   string     `json:"channel"`
		Address   string     `json:"address"`
		Status    string     `json:"status"`
		Outcome   string     `json:"outcome"`
		Reason    *string    `json:"reason"`
		NotBefore *time.Time `json:"not_before"`
	}{
		ID: r.ID, Kind: string(r.Notification.Kind), Channel: string(r.Notification.Channel),
		Address: r.To.String(), Status: string(r.Status), Outcome: "send",
	}
	if r.Send {
		at := r.NotBefore.UTC()
		line.NotBefore = &at
		return line
	}
	reason := string(r.Reason)
	line.Outcome, line.Reason = "skip", &reason
	return line
}

// table shows one table for each day on which they were decided.
func (c replayCommand) table(e *env, a *app.App, ended []app.Ended, zone *time.Location) error {
	p := e.progress("replay", len(ended))
	s := newSheet(p.beside(e.stdout), zone, "notification", "kind", "by", "to", "status", "outcome")
	sent, skipped := 0, 0
	var last time.Time
	err := c.run(e, a, ended, p, func(r app.Replay) error {
		if r.Send {
			sent++
			last = latest(last, r.NotBefore)
		} else {
			skipped++
		}
		return s.add(r.CreatedAt, false, r.ID, short(string(r.Notification.Kind)), string(r.Notification.Channel), r.To.String(),
			string(r.Status), c.became(s, r))
	})
	if err := errors.Join(err, s.flush()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, c.summary(sent, skipped, last.In(zone)))
	return err
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (c replayCommand) became(s *sheet, r app.Replay) string {
	switch {
	case !r.Send:
		return "skip: " + string(r.Reason)
	case r.Waits:
		return "send, not before " + s.day(r.NotBefore)
	}
	return "send"
}

func (c replayCommand) summary(sent, skipped int, last time.Time) string {
	switch {
	case sent+skipped == 0:
		return "Nothing of this span is " + c.Status + "."
	case sent == 0:
		return fmt.Sprintf("0 to send, %d skipped.", skipped)
	case c.Yes:
		return fmt.Sprintf("%d go out until %s, %d skipped.", sent, last.Format("2006-01-02 15:04:05 MST"), skipped)
	}
	return fmt.Sprintf("%d to send, %d skipped. Nothing was written or sent: --yes does it.", sent, skipped)
}
