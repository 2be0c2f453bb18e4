// Package pages is what people who run rappel see in a browser: how the day
// goes, what became of a message and why, what an appointment will bring, whom
// nothing reaches, and what the texts say.
//
// It only shows. It deliberately decides nothing, writes nothing and does not
// know who is let in: doors are the ops server's. Names, addresses and texts
// stay masked until somebody asks for them, and each asking is a line in the
// log.
package pages

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"rappel/internal/lookup"
	"rappel/jobs/forecast"
	"rappel/templates"
)

// A Ledger answers what is asked of the messages.
type Ledger interface {
	// Tally counts the messages decided in a span.
	Tally(ctx context.Context, from, until time.Time) ([]lookup.Count, error)
	// DueByHour counts what waits to go, by hours from hour on.
	DueByHour(ctx context.Context, now, hour, until time.Time) ([]lookup.Due, error)
	// Search finds messages, the newest first.
	Search(ctx context.Context, q lookup.Search) ([]lookup.Message, error)
	// Story tells all of one message; [lookup.ErrUnknown] where there is none.
	Story(ctx context.Context, id string) (lookup.Story, error)
	// Countries are those of the practices, for numbers without a prefix.
	Countries(ctx context.Context) ([]string, error)
}

// A Foreseer tells what was decided about appointments, and what will be.
type Foreseer interface {
	Explain(ctx context.Context, appointmentID string) (forecast.Explanation, error)
	Forecast(ctx context.Context, q forecast.Query, yield func(forecast.Line) error) error
	Unreachable(ctx context.Context, q forecast.Query, yield func(forecast.Call) error) error
}

// Texts reads the active templates of the practices.
type Texts interface {
	// EachText calls yield for the first, up to limit.
	EachText(ctx context.Context, limit int, yield func(templates.Source)) error
	// TextNames returns up to limit of their names.
	TextNames(ctx context.Context, limit int) ([]lookup.TextName, error)
	// TextsNamed returns up to limit of a name; of one id only, unless that is
	// empty.
	TextsNamed(ctx context.Context, name, id string, limit int) ([]templates.Source, error)
}

// Options are what the pages show, and by which clock.
type Options struct {
	Ledger   Ledger
	Foreseer Foreseer
	Texts    Texts
	Books    func(ctx context.Context, from, until time.Time) (Books, error)
	Watch    func(ctx context.Context) (Watch, error)
	// Zone is that of a practice or, where the id is empty, of all of them.
	Zone    func(ctx context.Context, practiceID string) (*time.Location, error)
	Now     func() time.Time
	Version string
	// ZoneData names the time zone data in use.
	ZoneData string
	Log      *slog.Logger
}

// Pages are rappel's own pages.
type Pages struct {
	Options

	views map[string]*template.Template // by their file's name
}

//go:embed html/*.html
var files embed.FS

//go:embed style.css
var styleSheet []byte

// New returns the pages.
func New(o Options) (*Pages, error) {
	p := &Pages{Options: o, views: map[string]*template.Template{}}
	layout, err := template.New("layout.html").Funcs(functions()).ParseFS(files, "html/layout.html", "html/parts.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	names, err := fs.Glob(files, "html/*.html")
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		view, err := layout.Clone()
		if err == nil {
			view, err = view.ParseFS(files, file)
		}
		if err != nil {
			return nil, fmt.Errorf("pages: %s: %w", name, err)
		}
		p.views[name] = view
	}
	return p, nil
}

// Handler returns all pages, below /.
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /style.css", asset("text/css; charset=utf-8", styleSheet))
	mux.Handle("GET /{$}", p.page(p.today))
	mux.Handle("GET /messages", p.page(p.messages))
	mux.Handle("POST /messages", p.page(p.messagesTo))
	mux.Handle("GET /messages/{id}", p.page(p.message))
	mux.Handle("POST /messages/{id}", p.shown(p.message))
	mux.Handle("GET /appointments/{id}", p.page(p.appointment))
	mux.Handle("POST /appointments/{id}", p.shown(p.appointment))
	mux.Handle("GET /unreachable", p.page(p.unreachable))
	mux.Handle("POST /unreachable", p.shown(p.unreachable))
	mux.Handle("GET /templates", p.page(p.texts))
	mux.Handle("GET /templates/{name}", p.page(p.text))
	mux.Handle("GET /templates/{name}/mail/{variant}", http.HandlerFunc(p.mail))
	mux.Handle("GET /", p.page(p.nowhere))
	return mux
}
