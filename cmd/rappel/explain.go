package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/kind"
)

type explainCommand struct {
	ID   string `arg:"" help:"An appointment's id, or an event's." name:"id"`
	JSON bool   `help:"One JSON object a line for each candidate." name:"json"`
}

// Help is the rest of what --help shows.
func (explainCommand) Help() string {
	return `For when somebody asks why the mother got no reminder: every decision about the appointment with each person who was
considered and every reason, what became of each message, and what the rules will still bring. Of an event, such as a
notice about a form or an invoice, it shows the decision about that event. Addresses are masked. It writes nothing.

Examples:
  rappel explain 01900000-0000-7000-8000-000000000011
  rappel explain 01900000-0000-7000-8000-000000000011 --json | jq 'select(.outcome == "skip") | .reasons'` +
		ending("nothing is known of that appointment or event, or the work failed", "DATABASE_URL")
}

func (c explainCommand) Run(e *env) error {
	if !app.ValidID(c.ID) {
		return usage{errors.New("the appointment's or event's id is not a UUID")}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	x, err := a.Explain(e.ctx, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return c.objects(e, x)
	}
	return story{x, zoneOf(x)}.print(e)
}

func (c explainCommand) objects(e *env, x app.Explanation) error {
	out := json.NewEncoder(e.stdout)
	for _, entry := range x.Entries {
		for _, l := range entry.Lines {
			if err := out.Encode(l); err != nil {
				return err
			}
		}
	}
	return nil
}

func zoneOf(x app.Explanation) *time.Location {
	if x.Zone == nil {
		return time.UTC
	}
	return x.Zone
}

// A story shows an explanation to people, in the practice's zone.
type story struct {
	app.Explanation

	zone *time.Location
}

func (s story) print(e *env) error {
	var rows []table.Row
	loud := map[int]bool{}
	for _, entry := range s.Entries {
		for _, row := range s.rows(entry) {
			loud[len(rows)] = entry.Outcome == "unreachable"
			rows = append(rows, row)
		}
	}
	fmt.Fprintln(e.stdout, s.title())
	if len(rows) == 0 {
		_, err := fmt.Fprintln(e.stdout, "Nothing was told or decided about it, and no rule concerns it.")
		return err
	}
	head := table.Row{"WHEN", "WHAT", "TO", "BY", "OUTCOME"}
	_, err := fmt.Fprintf(e.stdout, "\n%s\n", render(head, rows, loud, terminal(e.stdout)))
	return err
}

func (s story) title() string {
	switch event := "Event " + s.EventID + ", " + string(s.Kind); {
	case s.EventID == "":
		return "Appointment " + s.appointment()
	case s.Kind.Sort() == kind.Event && s.AppointmentID != "":
		return event + ": appointment " + s.appointment()
	case s.Client != "":
		return fmt.Sprintf("%s for %s (%s)%s", event, plain(s.Client), s.zone, s.named())
	default:
		return fmt.Sprintf("%s (times in %s)%s", event, s.zone, s.named())
	}
}

func (s story) appointment() string {
	if s.StartsAt.IsZero() {
		return s.AppointmentID + ", which is not there (times in UTC)"
	}
	return fmt.Sprintf("%s of %s, %s (%s), %s", s.AppointmentID, plain(s.Client),
		s.StartsAt.In(s.zone).Format("Monday, January 2, 2006 15:04"), s.zone, plain(s.Status))
}

// named says which appointment a notice names.
func (s story) named() string {
	if s.AppointmentID == "" {
		return ""
	}
	return ", names appointment " + s.AppointmentID
}

// rows shows an entry: what it is on the first row, and a row for everybody.
func (s story) rows(entry app.Entry) []table.Row {
	what := s.what(entry)
	if len(entry.Lines) == 0 {
		return []table.Row{{s.when(entry.At), what, "", "", note(entry)}}
	}
	var rows []table.Row
	for i, l := range entry.Lines {
		row := table.Row{"", "", s.person(l), string(l.Channel), s.became(entry, l)}
		if i == 0 {
			row[0], row[1] = s.when(entry.At), what
		}
		rows = append(rows, row)
	}
	return rows
}

func (s story) when(t time.Time) string { return t.In(s.zone).Format("2006-01-02 15:04") }

func (s story) what(entry app.Entry) string {
	text := short(string(entry.Kind))
	if entry.RuleID != "" {
		text += " by rule"
		if entry.RuleName != "" {
			text += " " + plain(entry.RuleName)
		}
	}
	if entry.State != app.StateAgain && !entry.StartsAt.IsZero() && !entry.StartsAt.Equal(s.StartsAt) {
		text += ", for the start " + s.when(entry.StartsAt)
	}
	switch entry.State {
	case app.StateAgain:
		return text + ": told again"
	case app.StateWaiting:
		return text + ": waits to be decided"
	case app.StateAhead:
		return text + ": ahead, " + string(entry.Outcome)
	case app.StateMissed:
		return text + ": never decided"
	case app.StateDecided:
	}
	return text + ": " + string(entry.Outcome)
}

// note says what there is to say of an entry that concerns nobody.
func note(entry app.Entry) string {
	switch {
	case entry.State != app.StateAgain:
		return entry.Detail
	case entry.DecisionID == "":
		return "answered with the first, which waits"
	}
	return "answered by decision " + entry.DecisionID
}

// person names whom a line is about: what was decided knows only the id.
func (s story) person(l app.Line) string {
	if known, ok := s.People[l.Who()]; ok {
		l.Person = known
	}
	return personOf(l)
}

// became is what became of a candidate, or will.
func (s story) became(entry app.Entry, l app.Line) string {
	switch {
	case l.Status != "":
		text := l.Status + ": to " + l.Address.String()
		if len(l.Reasons) > 0 {
			text += ", " + words(l.Reasons)
		}
		if !l.SentAt.IsZero() {
			return text + ", sent " + s.when(l.SentAt)
		}
		return text + ", not before " + s.when(l.SendAt)
	case l.Send && entry.State == app.StateAhead:
		return "will go " + s.when(l.SendAt) + " to " + l.Address.String()
	}
	return foreseen(l)
}
