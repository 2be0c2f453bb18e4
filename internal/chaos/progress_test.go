package chaos_test

import (
	"context"
	"fmt"
	"time"
)

// tell says now and then how far the load is, until ctx is done.
func (w *world) tell(ctx context.Context) {
	w.t.Helper()
	for wait(ctx, 10*time.Second) {
		w.say("%d of %d events were told", w.load.events.Load(), w.size.events)
	}
}

// course says which of so many trials begins, and how long the rest will take if
// they take as long as those before.
func course(n, of int, name string, took time.Duration) string {
	s := fmt.Sprintf("scenario %d of %d: %s", n+1, of, name)
	if n == 0 {
		return s
	}
	left := took / time.Duration(n) * time.Duration(of-n)
	return fmt.Sprintf("%s; %s so far, about %s left", s, took.Round(time.Second), left.Round(time.Minute))
}
