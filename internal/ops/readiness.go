package ops

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// readiness asks every check, at most once a second however often it is asked
// itself.
type readiness struct {
	checks []Check
	log    *slog.Logger
	mu     sync.Mutex
	asked  time.Time
	status int
	said   string
}

const (
	checkWithin = 3 * time.Second
	checkEvery  = time.Second
)

func (r *readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, said := r.ask(req.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, said)
}

func (r *readiness) ask(ctx context.Context) (int, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.asked) < checkEvery {
		return r.status, r.said
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkWithin)
	defer cancel()
	r.status, r.said = http.StatusOK, ""
	for _, c := range r.checks {
		if err := c.Ask(ctx); err != nil {
			r.status = http.StatusServiceUnavailable
			r.log.WarnContext(ctx, "not ready", "check", c.Name, "error", err)
			r.said += c.Name + ": not usable\n" // why is for the log: this door is open to all
			continue
		}
		r.said += c.Name + ": ok\n"
	}
	r.asked = time.Now()
	return r.status, r.said
}
