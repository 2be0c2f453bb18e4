package pages

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// within is how long a page may take: who waits longer has given up.
const within = 10 * time.Second

// A view is a page before it is written.
type view struct {
	Name    string // of the file that it is written with
	Title   string
	Here    string // where it stands in the navigation
	Shown   bool   // what is personal is readable
	Version string
	Zones   string // the time zone data in use
	Data    any
}

// A request is what somebody asks for, with what may be read of people.
type request struct {
	*http.Request

	veil *veil
}

type build func(ctx context.Context, r *request) (view, error)

// page answers with everything personal masked.
func (p *Pages) page(b build) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(r.Context(), w, &request{r, &veil{}}, b)
	})
}

// shown answers with everything personal readable, and puts the asking in the
// log: who was looked at is told by ids.
func (p *Pages) shown(b build) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(r.Context(), w, &request{r, &veil{lifted: true}}, b)
	})
}

func (p *Pages) serve(ctx context.Context, w http.ResponseWriter, r *request, b build) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	status := http.StatusOK
	v, err := b(ctx, r)
	switch {
	case err != nil:
		v, status = p.apology(ctx, r, err)
	case r.veil.lifted:
		p.Log.InfoContext(ctx, "personal data was shown", "what", r.veil.what, "ids", r.veil.ids, "remote", remote(r.Request))
		v.Shown = true
	}
	v.Version, v.Zones = p.Version, p.ZoneData
	var out bytes.Buffer
	if err := p.views[v.Name].ExecuteTemplate(&out, "layout.html", v); err != nil {
		id := p.failed(ctx, r, fmt.Errorf("write page %s: %w", v.Name, err))
		http.Error(w, "The page cannot be shown; the log has the reason under request_id "+id, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// What is on a page is of this moment and for these eyes.
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // who asked has gone: there is nobody to tell
}

func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// A mistakeError is one of whoever asked, in words for them.
type mistakeError string

func (m mistakeError) Error() string { return string(m) }

// A missingError names what there is none of.
type missingError struct{ What, ID, Where string }

func (m missingError) Error() string { return "there is no " + m.What + " " + m.ID }

// A trouble is what the page of an error says.
type trouble struct {
	Heading, Text string
	RequestID     string // in the log too
	Missing       missingError
}

// apology is the page that says what went wrong: what people can mend, or where
// the log has it.
func (p *Pages) apology(ctx context.Context, r *request, err error) (view, int) {
	say := func(status int, t trouble) (view, int) {
		return view{Name: "trouble", Title: t.Heading, Data: t}, status
	}
	if missing, ok := errors.AsType[missingError](err); ok {
		return say(http.StatusNotFound, trouble{Heading: "Not found", Missing: missing})
	}
	if mistake, ok := errors.AsType[mistakeError](err); ok {
		return say(http.StatusBadRequest, trouble{Heading: "That cannot be looked up", Text: mistake.Error()})
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return say(http.StatusRequestEntityTooLarge, trouble{Heading: "That is too much", Text: "The form is larger than any form of these pages."})
	}
	id := p.failed(ctx, r, err)
	if errors.Is(err, context.DeadlineExceeded) {
		return say(http.StatusServiceUnavailable, trouble{
			Heading: "That took too long", Text: fmt.Sprintf("The database did not answer within %s. Try again, or ask for less.", within), RequestID: id,
		})
	}
	return say(http.StatusInternalServerError, trouble{Heading: "The page cannot be shown", RequestID: id})
}

// failed puts a failure in the log, and returns the id under which it is there.
// The address that was asked for is not: who knows what somebody typed into it.
func (p *Pages) failed(ctx context.Context, r *request, err error) (id string) {
	id = rand.Text()[:12]
	p.Log.ErrorContext(ctx, "a page cannot be shown", "request_id", id, "page", r.Pattern, "error", err)
	return id
}

func (p *Pages) nowhere(_ context.Context, r *request) (view, error) {
	return view{}, missingError{What: "page", ID: r.URL.Path}
}

// idOf reads an id of the path.
func idOf(r *request) (string, error) {
	id := r.PathValue("id")
	if uuid.Validate(id) != nil || len(id) != len(uuid.Nil.String()) {
		return "", mistakeError("“" + id + "” is not an id: ids are UUIDs, such as 01900000-0000-7000-8000-000000000011.")
	}
	return id, nil
}

func asset(media string, content []byte) http.Handler {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Type", media)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
