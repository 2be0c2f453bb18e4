package forecast

import (
	"context"
	"time"
)

// A Call is a family that no message will reach about an appointment, although
// somebody there wants to be told: somebody may want to call them.
type Call struct {
	At            time.Time // when the first message that reaches nobody is due
	AppointmentID string
	StartsAt      time.Time
	ClientID      string
	Client        string // the name
	Zone          *time.Location
	Lines         []Line // everybody who was thought of, with the reasons
}

// Unreachable calls yield for each appointment with a rule whose time lies in
// the span of q and whose message would reach nobody: once, at the first such
// rule.
func (f *Forecaster) Unreachable(ctx context.Context, q Query, yield func(Call) error) error {
	w := worklist{seen: map[string]time.Time{}, yield: yield}
	if err := f.Forecast(ctx, q, w.add); err != nil {
		return err
	}
	return w.flush()
}

// A worklist puts lines that follow each other together. It remembers an
// appointment until its last rule was due, so that what it holds follows the
// rules' reach and not the span.
type worklist struct {
	call  Call
	rule  string
	seen  map[string]time.Time
	swept time.Time
	yield func(Call) error
}

func (w *worklist) add(l Line) error {
	if !l.ReachesNobody() {
		return nil
	}
	if w.call.AppointmentID == l.AppointmentID && w.rule == l.RuleID {
		w.call.Lines = append(w.call.Lines, l)
		return nil
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.forget(l.SendAt)
	if _, known := w.seen[l.AppointmentID]; known {
		return nil
	}
	w.seen[l.AppointmentID], w.rule = l.last, l.RuleID
	w.call = Call{
		At: l.SendAt, AppointmentID: l.AppointmentID, StartsAt: l.StartsAt,
		ClientID: l.ClientID, Client: l.Client, Zone: l.Zone, Lines: []Line{l},
	}
	return nil
}

func (w *worklist) flush() error {
	call := w.call
	w.call, w.rule = Call{}, ""
	if call.AppointmentID == "" {
		return nil
	}
	return w.yield(call)
}

// forget drops, once a day of the span, whom no rule can bring up again.
func (w *worklist) forget(now time.Time) {
	if now.Sub(w.swept) < 24*time.Hour {
		return
	}
	w.swept = now
	for id, last := range w.seen {
		if last.Before(now) {
			delete(w.seen, id)
		}
	}
}
