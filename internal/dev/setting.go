package dev

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

const (
	mostSettling = 600 // seconds
	errSettling  = mistake("Choose a number of seconds from 0 to 600.")
)

// set changes a setting of the practice, as its staff would in the main app.
func (p *Page) set(ctx context.Context, r *http.Request) (string, error) {
	switch value := r.PostFormValue("family"); value {
	case "on":
		return "From now on a family gets one message about visits that belong together.", p.update(ctx, "family_digest", true)
	case "off":
		return "From now on each visit has a message of its own.", p.update(ctx, "family_digest", false)
	}
	seconds, err := strconv.Atoi(r.PostFormValue("settle"))
	if err != nil || seconds < 0 || seconds > mostSettling {
		return "", errSettling
	}
	said := fmt.Sprintf("From now on a change waits %d seconds for corrections before anybody is told.", seconds)
	if seconds == 0 {
		said = "From now on a change is told at once."
	}
	return said, p.update(ctx, "settle_seconds", seconds)
}

func (p *Page) update(ctx context.Context, column string, value any) error {
	_, err := p.db.Exec(ctx, `UPDATE rappel.practices SET `+column+` = $2 WHERE id = $1`, PracticeID, value) // a name of ours
	if err != nil {
		return fmt.Errorf("set %s: %w", column, err)
	}
	return nil
}
