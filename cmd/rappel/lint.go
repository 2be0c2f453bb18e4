package main

import (
	"fmt"

	"rappel/internal/config"
	"rappel/templates"
)

type lintCommand struct{}

// Help is the rest of what --help shows.
func (lintCommand) Help() string {
	return `After texts or rules were changed: placeholders that nobody knows, sections that do not end, rules whose text is missing
on a channel, and what makes an SMS cost more than one segment.

Example:
  rappel lint` + ending("a template has an error, or the work failed", "DATABASE_URL")
}

func (lintCommand) Run(e *env) error {
	a, err := e.open(config.Database)
	if err != nil {
		return err
	}
	defer a.Close()
	findings, err := a.Lint(e.ctx)
	if err != nil {
		return err
	}
	bad := false
	for _, f := range findings {
		bad = bad || f.Wrong
		if _, err := fmt.Fprintln(e.stdout, line(f)); err != nil {
			return err
		}
	}
	if bad {
		return errFailed
	}
	if len(findings) == 0 {
		fmt.Fprintln(e.stdout, "every template is fine")
	}
	return nil
}

// line names the text that a finding is about, as far as it is a row.
func line(f templates.Finding) string {
	level := "warn "
	if f.Wrong {
		level = "error"
	}
	s := f.Source
	if s.ID == "" {
		return fmt.Sprintf("%s  %q of practice %s: %s", level, s.Name, s.PracticeID, f.Message)
	}
	return fmt.Sprintf("%s  %s (%q, %s, %s, %s): %s", level, s.ID, s.Name, s.Channel, s.Audience, s.Locale, f.Message)
}
