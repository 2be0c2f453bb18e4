package forecast

import (
	"context"
	"fmt"
	"slices"
)

// ExplainEvent tells what was decided about one event, an appointment's or a
// notice, and what became of it; of one that waits, what would be decided now;
// of one that was told again, what was decided about the first.
func (f *Forecaster) ExplainEvent(ctx context.Context, eventID string) (Explanation, error) {
	h, err := f.Store.EventHistory(ctx, eventID)
	if err != nil {
		return Explanation{}, fmt.Errorf("event %s: %w", eventID, err)
	}
	e := explanationOf(h, f.Now())
	if e.keepTo(eventID); e.EventID == "" {
		return Explanation{}, fmt.Errorf("event %s: %w", eventID, ErrUnknown)
	}
	return e, nil
}

// keepTo leaves in e what is of one event.
func (e *Explanation) keepTo(eventID string) {
	first := "" // the decision that answers one told again
	for _, entry := range e.Entries {
		if entry.EventID != eventID {
			continue
		}
		e.EventID, e.Kind = eventID, entry.Kind
		if entry.State == StateAgain {
			first = entry.DecisionID
		}
	}
	e.Entries = slices.DeleteFunc(e.Entries, func(entry Entry) bool {
		return entry.EventID != eventID && (first == "" || entry.DecisionID != first)
	})
}
