package dev

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/zoneinfo"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleSheet []byte

//go:embed live.js
var liveScript []byte

// PageOptions are what the page shows and works on.
type PageOptions struct {
	DatabaseURL string
	Reporter    Reporter
	Clock       *Clock
	MainApp     *MainApp
	Carrier     Carrier // brings what people write
	OpsURL      string  // of the ops server's pages; empty: no link
	Version     string
	Zones       *zoneinfo.Data
	Log         *slog.Logger
}

// A Page shows the stand-in for the main app, and lets people play with it.
type Page struct {
	options  PageOptions
	db       *pgxpool.Pool
	desk     *desk
	template *template.Template

	passing sync.Mutex // held while time is made to pass
	mu      sync.Mutex
	said    saying // the answer to the last button; guarded by mu
}

// connections is how many the page may open.
const connections = 4

// NewPage returns the page. Close it when done.
func NewPage(ctx context.Context, o PageOptions) (*Page, error) {
	parsed, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	cfg, err := pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		return nil, errors.New("page: the database URL cannot be read")
	}
	cfg.MaxConns = connections
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	db, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	p := &Page{
		options: o, db: db, template: parsed,
		desk: &desk{db: db, reporter: o.Reporter, now: o.Clock.Now, ways: map[string]way{firstBooking: byRow}},
	}
	o.MainApp.OnReply(p.heed)
	return p, nil
}

// Close closes the connections.
func (p *Page) Close() { p.db.Close() }

// Handler returns the page and, under AdminPath, the stand-in's endpoints.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(AdminPath+"/", p.options.MainApp.Handler())
	mux.Handle("/", p.pages())
	return onThisMachine(mux)
}

func (p *Page) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.Handle("GET /style.css", asset("text/css; charset=utf-8", styleSheet))
	mux.Handle("GET /live.js", asset("text/javascript; charset=utf-8", liveScript))
	mux.Handle("POST /do/book", p.doing(p.book))
	mux.Handle("POST /do/siblings", p.doing(p.bookBoth))
	mux.Handle("POST /do/visit", p.doing(p.change))
	mux.Handle("POST /do/answer", p.doing(p.answer))
	mux.Handle("POST /do/notice", p.doing(p.send))
	mux.Handle("POST /do/setting", p.doing(p.set))
	mux.Handle("POST /do/time", p.doing(p.turn))
	// A form of another site must not press our buttons.
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

func asset(media string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", media)
		serve(w, r, content)
	})
}

// serve sends content, unless the browser has it already.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(content) // who asked has gone: there is nobody to tell
}

func (p *Page) show(w http.ResponseWriter, r *http.Request) {
	content, err := p.render(r.Context())
	if err != nil {
		p.options.Log.WarnContext(r.Context(), "the page cannot be shown", "error", err)
		http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	serve(w, r, content)
}

func (p *Page) render(ctx context.Context) ([]byte, error) {
	now, app := p.options.Clock.Now(), p.options.MainApp
	r, err := read(ctx, p.db, p.options.Zones, now)
	if err != nil {
		return nil, err
	}
	page := newViewer(r, now, app.Messages(), app.Replies(), p.desk.wayOf).view()
	page.Ahead = aheadOfTime(p.options.Clock.Ahead())
	page.OpsURL, page.Version = p.options.OpsURL, p.options.Version
	page.Said = p.lastSaid()
	for _, t := range app.Troubles() {
		page.Troubles = append(page.Troubles, t.Text)
	}
	var out bytes.Buffer
	if err := p.template.Execute(&out, page); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return out.Bytes(), nil
}

func (p *Page) lastSaid() saying {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// doing does what a button says, and shows the page again with what came of it.
func (p *Page) doing(do func(ctx context.Context, r *http.Request) (string, error)) http.Handler {
	const mostForm = 64 << 10
	return http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := do(r.Context(), r)
		said := saying{Text: text}
		if err != nil {
			said = saying{Text: p.apology(r.Context(), err), Wrong: true}
		}
		p.mu.Lock()
		p.said = said
		p.mu.Unlock()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}), mostForm)
}

// apology says what went wrong: to the person what they can mend, to the log
// the rest.
func (p *Page) apology(ctx context.Context, err error) string {
	if theirs, ok := errors.AsType[mistake](err); ok {
		return theirs.Error()
	}
	p.options.Log.ErrorContext(ctx, "a button failed", "error", err)
	return "That did not work: " + err.Error()
}
