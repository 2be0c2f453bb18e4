package chaos_test

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A watch measures how long it takes until what was due at the death of a
// worker, in its hands or in anybody's, is in hand again.
type watch struct {
	db *pgxpool.Pool

	mu    sync.Mutex
	held  map[string]held // by notification
	worst time.Duration
	last  string // the notification that took so long
	seen  int
}

// Held is what a notification was like when a worker died.
type held struct {
	since time.Time
	like  string
}

// likeness differs once anybody has taken a notification up again: an attempt
// more, another time to try, or another status.
const likeness = `concat_ws(' ', status, attempts, not_before)`

// died notes what is due at this moment.
func (w *watch) died(ctx context.Context) {
	now := time.Now()
	due, err := w.look(ctx, `SELECT id, `+likeness+` FROM rappel.notifications
		WHERE status = 'sending' OR (status = 'pending' AND not_before <= now())`)
	if err != nil {
		return // the database died too: then there is nothing to be measured
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		w.held = map[string]held{}
	}
	for id, like := range due {
		if _, ok := w.held[id]; !ok {
			w.held[id] = held{now, like}
			w.seen++
		}
	}
}

// run watches until ctx is done.
func (w *watch) run(ctx context.Context) {
	for wait(ctx, 200*time.Millisecond) {
		w.mu.Lock()
		ids := make([]string, 0, len(w.held))
		for id := range w.held {
			ids = append(ids, id)
		}
		w.mu.Unlock()
		now, err := w.look(ctx, `SELECT id, `+likeness+` FROM rappel.notifications WHERE id = ANY ($1)`, ids)
		if err == nil {
			w.compare(now)
		}
	}
}

func (w *watch) compare(now map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, like := range now {
		if h := w.held[id]; h.like != like {
			w.took(id, time.Since(h.since))
			delete(w.held, id)
		}
	}
}

// took is called with mu held.
func (w *watch) took(id string, d time.Duration) {
	if d > w.worst {
		w.worst, w.last = d, id
	}
}

// measured returns the longest time and whose it was, over so many notifications.
func (w *watch) measured() (worst time.Duration, last string, of int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, h := range w.held {
		w.took(id, time.Since(h.since))
	}
	return w.worst, w.last, w.seen
}

func (w *watch) look(ctx context.Context, sql string, args ...any) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rows, err := w.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	likes := map[string]string{}
	var id, like string
	_, err = pgx.ForEachRow(rows, []any{&id, &like}, func() error {
		likes[id] = like
		return nil
	})
	return likes, err
}
