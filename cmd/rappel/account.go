package main

import (
	"encoding/json"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/postgres"
)

type accountCommand struct {
	spanFlags

	JSON bool `help:"One JSON object: how many of each status, planned and unaccounted." name:"json"`
}

// Help is the rest of what --help shows.
func (accountCommand) Help() string {
	return `Every message that a decision promised must be in the ledger: planned = sent + delivered + undelivered + failed +
suppressed + expired + pending + sending + unknown. Planned is counted from the decisions alone. Unaccounted is how many
rows the ledger has too few or too many, decision by decision, and how many events were answered by no decision. It is 0;
otherwise the exit code is 1.

Example:
  rappel account --from 2026-12-01T00:00:00-05:00 --to 2027-01-01T00:00:00-05:00` + ending("something is unaccounted for, or the work failed", "DATABASE_URL")
}

func (c accountCommand) Run(e *env) error {
	if err := c.mistakes(); err != nil {
		return usage{err}
	}
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	span, _, err := a.Lately(e.ctx, c.span())
	if err != nil {
		return err
	}
	books, err := a.Account(e.ctx, span)
	if err != nil {
		return err
	}
	if err := c.print(e, books); err != nil {
		return err
	}
	if !books.Closed() {
		return errFailed
	}
	return nil
}

func (c accountCommand) print(e *env, b app.Books) error {
	if !c.JSON {
		return ledger{b}.print(e)
	}
	if !b.Closed() {
		fmt.Fprintf(e.stderr, "rappel: %s: rappel account without --json says what to do\n", unaccounted(b.Total))
	}
	return json.NewEncoder(e.stdout).Encode(b.Total)
}

// A ledger shows books to people: a row for each practice and day.
type ledger struct{ app.Books }

func (l ledger) print(e *env) error {
	if len(l.Days) == 0 {
		_, err := fmt.Fprintln(e.stdout, "Nothing was planned in this span. The books are closed.")
		return err
	}
	head := table.Row{
		"DAY", "PRACTICE", "PLANNED", "SENT", "DELIVERED", "UNDELIVERED", "FAILED", "SUPPRESSED", "EXPIRED",
		"PENDING", "SENDING", "UNKNOWN", "UNACCOUNTED",
	}
	var rows []table.Row
	loud := map[int]bool{}
	for i, d := range l.Days {
		day := d.Date.Format("2006-01-02")
		if loud[i] = d.Unaccounted > 0; loud[i] {
			day += " !"
		}
		rows = append(rows, cells(day, l.practice(d), d.Counts))
	}
	rows = append(rows, cells("total", "", l.Total))
	fmt.Fprintln(e.stdout, render(head, rows, loud, terminal(e.stdout)))
	for _, note := range append(l.zones(), l.verdict()...) {
		fmt.Fprintln(e.stdout, note)
	}
	return nil
}

func cells(day, practice string, c postgres.Counts) table.Row {
	return table.Row{
		day, practice, c.Planned, c.Sent, c.Delivered, c.Undelivered, c.Failed, c.Suppressed, c.Expired,
		c.Pending, c.Sending, c.Unknown, c.Unaccounted,
	}
}

// practice names a practice, with its id where others have the name too.
func (l ledger) practice(d postgres.Day) string {
	switch {
	case d.PracticeID == "":
		return "not known"
	case d.Practice == "":
		return d.PracticeID
	}
	for _, other := range l.Days {
		if other.Practice == d.Practice && other.PracticeID != d.PracticeID {
			return plain(d.Practice) + " " + d.PracticeID
		}
	}
	return plain(d.Practice)
}

// zones says whose days are not their own. A practice without a name or a zone
// is gone from the practice side.
func (l ledger) zones() []string {
	var notes []string
	seen := map[string]bool{}
	for _, d := range l.Days {
		if !d.InUTC || d.Zone == "" || seen[d.PracticeID] {
			continue
		}
		seen[d.PracticeID] = true
		notes = append(notes, fmt.Sprintf("The days of %s are those of UTC: the database knows no zone %q.", l.practice(d), plain(d.Zone)))
	}
	return notes
}

// verdict says whether the books are closed, and else what to do.
func (l ledger) verdict() []string {
	if l.Closed() {
		return []string{fmt.Sprintf("The books are closed: %d planned, and all accounted for.", l.Total.Planned)}
	}
	said := []string{fmt.Sprintf("! The books are not closed: %s.", unaccounted(l.Total))}
	for _, f := range l.Faults {
		said = append(said, "  "+fault(f))
	}
	if int64(len(l.Faults)) < l.Total.Unaccounted {
		said = append(said, "  These are the first; a shorter span shows others.")
	}
	return append(said,
		"A decision and its rows are written together, so something else has changed these tables, such as a backup restored in",
		"part or a statement by hand. rappel explain APPOINTMENT-ID says who was to hear what: tell those who did not.")
}

func unaccounted(c postgres.Counts) string {
	return fmt.Sprintf("%d unaccounted for, %d planned", c.Unaccounted, c.Planned)
}

func fault(f postgres.Fault) string {
	about := ""
	if f.AppointmentID != "" {
		about = ", appointment " + f.AppointmentID
	}
	if f.EventID != "" {
		return "event " + f.EventID + about + ": answered by no decision"
	}
	return fmt.Sprintf("decision %s%s: promised %d, and the ledger has %d", f.DecisionID, about, f.Planned, f.Written)
}
