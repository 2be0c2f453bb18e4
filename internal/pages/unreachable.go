package pages

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"time"

	"rappel/jobs/forecast"
)

// A worklistView is the page of those whom no message will reach.
type worklistView struct {
	Days  int
	Spans []choice
	Calls []callView
	More  bool // there are more than the page lists
}

// A callView is a family that somebody may want to call.
type callView struct {
	AppointmentID, Client string
	Starts, At            moment
	Zone                  string // the practice's
	People                []candidateView
}

const (
	mostCalls  = 100
	fewestDays = 1
	usualDays  = 7
	mostDays   = 31
)

// errEnough ends a list that is long enough.
var errEnough = errors.New("enough")

func (p *Pages) unreachable(ctx context.Context, r *request) (view, error) {
	days := usualDays
	if asked := r.FormValue("days"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < fewestDays || n > mostDays {
			return view{}, mistakeError("Choose between 1 and 31 days.")
		}
		days = n
	}
	now := p.Now()
	v := &worklistView{Days: days}
	for _, n := range []int{1, 3, usualDays, 14, mostDays} {
		v.Spans = append(v.Spans, choice{strconv.Itoa(n), plural(n, "day"), n == days})
	}
	r.veil.over("worklist")
	err := p.Foreseer.Unreachable(ctx, forecast.Query{From: now, To: now.AddDate(0, 0, days)}, func(c forecast.Call) error {
		if len(v.Calls) == mostCalls {
			v.More = true
			return errEnough
		}
		v.Calls = append(v.Calls, callOf(r.veil, c))
		r.veil.over("worklist", c.AppointmentID)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return view{}, err
	}
	return view{Name: "unreachable", Title: "Unreachable", Here: "unreachable", Data: v}, nil
}

func callOf(veil *veil, c forecast.Call) callView {
	zone := cmp.Or(c.Zone, time.UTC)
	v := callView{
		AppointmentID: c.AppointmentID, Client: veil.fullName(c.Client), Zone: zone.String(),
		Starts: when(c.StartsAt, zone), At: when(c.At, zone),
	}
	for _, l := range c.Lines {
		person := personView{Role: string(l.Recipient), ID: l.ID, Name: veil.name(l.Person)}
		if veil.lifted {
			person.Relationship = l.Person.Relationship
		}
		v.People = append(v.People, candidateView{Person: person, Channel: channelName(l.Channel), Causes: causes(l.Reasons)})
	}
	return v
}
