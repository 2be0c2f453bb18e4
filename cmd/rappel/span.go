package main

import (
	"errors"
	"time"

	"rappel/internal/app"
)

// A spanFlags is the part of the ledger that a command looks at.
type spanFlags struct {
	From     time.Time `help:"Only what was decided at this time (RFC 3339) or later. Without it: since the beginning of yesterday in the practice's zone, in UTC where there are several; with --to alone, of the day before it." placeholder:"T"`
	To       time.Time `help:"Only what was decided before this time. Without it there is no end." placeholder:"T"`
	Practice string    `help:"Only this practice." placeholder:"ID"`
}

func (f spanFlags) span() app.Span {
	return app.Span{From: f.From, To: f.To, PracticeID: f.Practice}
}

// mistakes are all there are, at once.
func (f spanFlags) mistakes() error {
	var errs []error
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		errs = append(errs, errors.New("--to must be later than --from"))
	}
	if f.Practice != "" && !app.ValidID(f.Practice) {
		errs = append(errs, errors.New("--practice is not a UUID"))
	}
	return errors.Join(errs...)
}
