package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rappel/internal/app"
	"rappel/internal/config"
)

type forecastCommand struct {
	From        time.Time `required:"" help:"The beginning of the span (RFC 3339), which belongs to it." placeholder:"T"`
	To          time.Time `required:"" help:"The end of the span, which does not." placeholder:"T"`
	Practice    string    `help:"Only this practice." placeholder:"ID"`
	Unreachable bool      `help:"Only whom no message will reach: the front desk's list of people to call."`
	JSON        bool      `help:"One JSON object a line for each candidate." name:"json"`
}

// Help is the rest of what --help shows.
func (forecastCommand) Help() string {
	return `Asks the very code that decides what the rules will send, before it does: after a rule or a text was changed, before a
holiday, or for the list of people to call since nothing reaches them. What is decided already and waits for its time is in it.
It writes nothing and sends nothing.

Examples:
  rappel forecast --from 2026-12-10T00:00:00-05:00 --to 2026-12-11T00:00:00-05:00
  rappel forecast --from 2026-12-10T00:00:00-05:00 --to 2026-12-11T00:00:00-05:00 --unreachable` + ending("the work failed", "DATABASE_URL")
}

func (c forecastCommand) Run(e *env) error {
	if err := c.mistakes(); err != nil {
		return usage{err}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	zone, err := a.Zone(e.ctx, c.Practice)
	if err != nil {
		return err
	}
	q := app.Query{From: c.From, To: c.To, PracticeID: c.Practice, Pending: !c.Unreachable}
	switch {
	case c.JSON:
		return c.objects(e, a, q)
	case c.Unreachable:
		return worklist(e, a, q, zone)
	}
	return outlook(e, a, q, zone)
}

// mistakes are all there are, at once.
func (c forecastCommand) mistakes() error {
	var errs []error
	if !c.To.After(c.From) {
		errs = append(errs, errors.New("--to must be later than --from"))
	}
	if c.Practice != "" && !app.ValidID(c.Practice) {
		errs = append(errs, errors.New("--practice is not a UUID"))
	}
	return errors.Join(errs...)
}

func (c forecastCommand) objects(e *env, a *app.App, q app.Query) error {
	out := json.NewEncoder(e.stdout)
	return a.Forecast(e.ctx, q, func(l app.Line) error {
		if c.Unreachable && !l.ReachesNobody() {
			return nil
		}
		return out.Encode(l)
	})
}

// outlook shows every candidate, in one table a day.
func outlook(e *env, a *app.App, q app.Query, zone *time.Location) error {
	s := newSheet(e.stdout, zone, "time", "rule", "client", "starts", "to", "by", "outcome", "appointment")
	var sent, skipped int
	unreached := map[bool]int{}
	err := a.Forecast(e.ctx, q, func(l app.Line) error {
		if l.Send {
			sent++
		} else {
			skipped++
		}
		unreached[l.ReachesNobody()]++
		return s.add(l.SendAt, l.ReachesNobody(),
			s.clock(l.SendAt), ruleOf(l), plain(l.Client), s.day(l.StartsAt), personOf(l), string(l.Channel), foreseen(l), l.AppointmentID)
	})
	if err := errors.Join(err, s.flush()); err != nil {
		return err
	}
	if sent+skipped == 0 {
		fmt.Fprintln(e.stdout, "Nothing goes in this span, and nothing is skipped.")
		return nil
	}
	fmt.Fprintf(e.stdout, "%d to send, %d skipped.\n", sent, skipped)
	if unreached[true] > 0 {
		fmt.Fprintln(e.stdout, "! Nobody is reached here, though somebody wants to be: --unreachable lists whom to call.")
	}
	return nil
}

// worklist shows whom to call, in one table for each day on which the first
// message to reach nobody is due.
func worklist(e *env, a *app.App, q app.Query, zone *time.Location) error {
	s := newSheet(e.stdout, zone, "client", "starts", "why nobody is reached", "appointment")
	calls := 0
	err := a.Unreachable(e.ctx, q, func(call app.Call) error {
		calls++
		why := make([]string, 0, len(call.Lines))
		for _, l := range call.Lines {
			why = append(why, personOf(l)+" by "+string(l.Channel)+": "+words(l.Reasons))
		}
		return s.add(call.At, false, plain(call.Client), s.day(call.StartsAt), strings.Join(why, "\n"), call.AppointmentID)
	})
	if err := errors.Join(err, s.flush()); err != nil {
		return err
	}
	if calls == 0 {
		fmt.Fprintln(e.stdout, "Every family with a message in this span is reached.")
		return nil
	}
	fmt.Fprintf(e.stdout, "%d to call.\n", calls)
	return nil
}

// foreseen is what will become of a candidate.
func foreseen(l app.Line) string {
	if l.Send {
		return "send to " + l.Address.String()
	}
	return "skip: " + words(l.Reasons)
}

func ruleOf(l app.Line) string {
	if l.RuleName != "" {
		return plain(l.RuleName)
	}
	return short(string(l.Kind))
}

// short leaves out what every kind of message about an appointment begins with.
func short(kind string) string { return strings.TrimPrefix(kind, "appointment.") }

// personOf names whom a line is about, as the client's family would.
func personOf(l app.Line) string {
	return person(l.Person.Name(), string(l.Recipient), l.Person.Relationship, l.ID)
}

func person(name, role, relationship, id string) string {
	if name == "" {
		return role + " " + id
	}
	if relationship != "" {
		role = relationship
	}
	return plain(name) + " (" + plain(role) + ")"
}

func words[T ~string](reasons []T) string {
	all := make([]string, len(reasons))
	for i, r := range reasons {
		all[i] = string(r)
	}
	return strings.Join(all, ", ")
}
