package chaos_test

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"rappel/internal/testenv"
)

// An answer is one way in which an endpoint treats a request; take keeps the
// message that it brought.
type answer struct {
	weight int
	give   func(w http.ResponseWriter, r *http.Request, take func())
}

// A mood is how likely an endpoint is to answer in which way.
type mood []answer

func calm() mood { return mood{{1, accept}} }

// leisurely takes everything, after some time.
func leisurely() mood {
	return mood{{1, late(50*time.Millisecond, accept)}, {2, late(400*time.Millisecond, accept)}}
}

// strange takes nothing: it does not know us.
func strange() mood { return mood{{1, status(http.StatusUnauthorized)}} }

// away is behind a proxy that finds nobody there.
func away() mood { return mood{{1, page}} }

// foul fails in every way that comes back at once.
func foul() mood {
	return mood{
		{20, accept},
		{4, late(300*time.Millisecond, accept)},
		{3, status(http.StatusInternalServerError)},
		{2, status(http.StatusServiceUnavailable)},
		{2, status(http.StatusRequestTimeout)},
		{2, status(http.StatusTooManyRequests)},
		{3, after("1", status(http.StatusTooManyRequests))},
		{1, after("2", status(http.StatusServiceUnavailable))},
		{1, elsewhere},
		{3, page},
		{3, hangUp},
		{4, taking(hangUp)},
		{3, taking(status(http.StatusInternalServerError))},
		{2, taking(page)},
		{2, taking(mumble)},
		{2, taking(breakOff)},
	}
}

// foulest also leaves rappel waiting for longer than it will.
func foulest() mood {
	return append(foul(), answer{2, hang}, answer{3, taking(hang)})
}

func accept(w http.ResponseWriter, r *http.Request, take func()) {
	take()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"message_id":"msg-%s"}`, r.Header.Get("Idempotency-Key"))
}

type give = func(w http.ResponseWriter, r *http.Request, take func())

// taking keeps the message, whatever the answer then says.
func taking(then give) give {
	return func(w http.ResponseWriter, r *http.Request, take func()) {
		take()
		then(w, r, func() {})
	}
}

func late(d time.Duration, then give) give {
	return func(w http.ResponseWriter, r *http.Request, take func()) {
		wait(r.Context(), d)
		then(w, r, take)
	}
}

func status(code int) give {
	return func(w http.ResponseWriter, _ *http.Request, _ func()) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(code)
		fmt.Fprint(w, `{"code":"chaos"}`)
	}
}

func after(seconds string, then give) give {
	return func(w http.ResponseWriter, r *http.Request, take func()) {
		w.Header().Set("Retry-After", seconds)
		then(w, r, take)
	}
}

// page is what a proxy in between shows.
func page(w http.ResponseWriter, _ *http.Request, _ func()) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	fmt.Fprint(w, "<html><body>Bad gateway</body></html>")
}

func elsewhere(w http.ResponseWriter, _ *http.Request, _ func()) {
	w.Header().Set("Location", "/login")
	w.WriteHeader(http.StatusFound)
}

// mumble says that all is well, but not in a way that can be read.
func mumble(w http.ResponseWriter, _ *http.Request, _ func()) {
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, "<p>thanks")
}

// breakOff begins to say that all is well.
func breakOff(w http.ResponseWriter, r *http.Request, take func()) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusAccepted)
	hangUp(w, r, take)
}

// hangUp resets the connection.
func hangUp(w http.ResponseWriter, _ *http.Request, _ func()) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	testenv.Reset(c.(*net.TCPConn))
}

// hang says nothing until the other side goes.
func hang(_ http.ResponseWriter, r *http.Request, _ func()) {
	const longest = 30 * time.Second
	wait(r.Context(), longest)
	panic(http.ErrAbortHandler)
}
