package pages

import (
	"cmp"
	"context"
	"errors"
	"time"

	"rappel/jobs/forecast"
	"rappel/recipients"
)

// An appointmentView is the page of one appointment: what was decided about it,
// and what will come.
type appointmentView struct {
	ID, Status, Client string
	Gone               bool // the appointment is not there any more
	Zone               string
	Starts             moment
	Past, Ahead        []entryView
}

// An entryView is an event or a rule, with everybody who was considered.
type entryView struct {
	At         moment
	What, Rule string
	State      string
	Words      string
	Mark, Tone string
	OtherStart moment // it was about another start than the present one
	Detail     string
	Candidates []candidateView
}

func (p *Pages) appointment(ctx context.Context, r *request) (view, error) {
	id, err := idOf(r)
	if err != nil {
		return view{}, err
	}
	x, err := p.Foreseer.Explain(ctx, id)
	if errors.Is(err, forecast.ErrUnknown) {
		return view{}, missingError{What: "appointment", ID: id}
	}
	if err != nil {
		return view{}, err
	}
	r.veil.over("appointment", id)
	zone := x.Zone
	if zone == nil {
		zone = p.zoneOf(ctx, "")
	}
	v := &appointmentView{
		ID: id, Status: x.Status, Client: r.veil.fullName(x.Client), Gone: x.StartsAt.IsZero(),
		Zone: zone.String(), Starts: when(x.StartsAt, zone),
	}
	e := explainer{Explanation: x, veil: r.veil, zone: zone}
	for _, entry := range x.Entries {
		shown := e.entry(entry)
		if entry.State == forecast.StateAhead {
			v.Ahead = append(v.Ahead, shown)
		} else {
			v.Past = append(v.Past, shown)
		}
	}
	return view{Name: "appointment", Title: "Appointment " + short(id), Here: "messages", Data: v}, nil
}

// An explainer turns an explanation into words.
type explainer struct {
	forecast.Explanation

	veil *veil
	zone *time.Location
}

func (e explainer) entry(entry forecast.Entry) entryView {
	v := entryView{
		At: when(entry.At, e.zone), What: kindName(entry.Kind), State: string(entry.State), Detail: entry.Detail,
		Words: capital(outcome(entry.Outcome)), Mark: "→", Tone: "open",
	}
	if entry.RuleID != "" {
		v.Rule = cmp.Or(entry.RuleName, "a rule that is gone")
	}
	if !entry.StartsAt.IsZero() && !entry.StartsAt.Equal(e.StartsAt) && entry.State != forecast.StateAgain {
		v.OtherStart = when(entry.StartsAt, e.zone)
	}
	switch entry.State {
	case forecast.StateAgain:
		v.Words = "Told again: the first decides"
	case forecast.StateWaiting:
		v.Words, v.Mark = "Waits to be decided. As things stand: "+cmp.Or(outcome(entry.Outcome), entry.Detail), "…"
	case forecast.StateAhead:
		v.Mark = "…"
		if entry.Outcome == recipients.Notify {
			v.Words = "Somebody will be told"
		}
	case forecast.StateMissed:
		v.Words, v.Mark, v.Tone = "Never decided: its time came when nobody looked", "!", "bad"
	case forecast.StateDecided:
	}
	switch entry.Outcome {
	case recipients.Unreachable:
		v.Mark, v.Tone = "!", "bad"
	case recipients.Silenced, recipients.Skipped:
		v.Mark, v.Tone = "–", "plain"
	case recipients.Notify:
	}
	for _, l := range entry.Lines {
		v.Candidates = append(v.Candidates, e.candidate(l))
	}
	return v
}

func (e explainer) candidate(l forecast.Line) candidateView {
	c := candidateView{
		Person: personOf(e.veil, e.People, l.Who()), Channel: channelName(l.Channel), Send: l.Send,
		Address: e.veil.address(l.Address), Causes: causes(l.Reasons),
	}
	switch {
	case l.Status != "":
		shown := chipOf(l.Status)
		c.Status = &shown
		c.Note = became(l.Status)
		if !l.SentAt.IsZero() {
			c.Note = when(l.SentAt, e.zone).Text
		} else if l.Status == "pending" {
			c.Note = "goes " + when(l.SendAt, e.zone).Text
		}
	case l.Send:
		c.Note = "goes " + when(l.SendAt, e.zone).Text
	}
	return c
}
