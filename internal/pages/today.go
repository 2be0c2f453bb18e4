package pages

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"rappel/internal/lookup"
	"rappel/jobs/deliver"
	"rappel/jobs/forecast"
	"rappel/recipients"
)

// Books are the accounts of a span: closed where nothing is unaccounted for.
type Books struct {
	Planned, Unaccounted int64
	Faults               []Fault
}

// A Fault is what makes the books not close.
type Fault struct {
	DecisionID, EventID, AppointmentID string
	Planned, Written                   int64
}

// A Watch is what this process sees of the ways out.
type Watch struct {
	Ways         []Way
	AdminUp      string // "up", "down", or empty where this process does not ask
	Workers      int    // processes that work on the queues, everywhere
	WorkersKnown bool   // Redis told how many there are
}

// A Way is how a channel stands.
type Way struct {
	Channel   recipients.Channel
	Via       string
	Here      bool   // this process delivers, and so knows the breaker
	Breaker   string // closed, ramping or open
	Parked    int    // practices that are held back
	OldestDue time.Duration
}

// A dayView is the page of one day.
type dayView struct {
	Heading, Zone, Date string
	Now                 moment
	Before, After       string // links; empty: none
	IsToday             bool
	Total               int64
	Tiles               []tile
	Suppressed          []reasonRow
	Chart               *chart
	Books               *Books
	BooksLate           bool // they could not be closed in time
	Watch               *Watch
	Ways                []wayRow
}

// A tile is the count of one status.
type tile struct {
	Chip  chip
	N     int64
	Words string
	Link  string
}

// A reasonRow is why messages were not sent, and how many.
type reasonRow struct {
	Cause cause
	N     int64
	Link  string
}

// A wayRow is how a channel stands, in words.
type wayRow struct {
	Channel, Via, Breaker, Waiting string
	Tone                           string
}

func (p *Pages) today(ctx context.Context, r *request) (view, error) {
	zone := p.zoneOf(ctx, "")
	now := p.Now().In(zone)
	from, until := dayAt(now, zone)
	if asked := r.FormValue("day"); asked != "" {
		var err error
		if from, until, err = dayOf(asked, zone); err != nil {
			return view{}, err
		}
	}
	d := &dayView{
		Zone: zone.String(), Date: from.Format(dateForm), Now: written(now, zone, "15:04"),
		Before: dayLink(from.AddDate(0, 0, -1)), IsToday: !now.Before(from) && now.Before(until),
	}
	d.Heading = from.Format("Monday, 2 January 2006")
	if until.Before(now) {
		d.After = dayLink(until)
	}
	counts, err := p.Ledger.Tally(ctx, from, until)
	if err != nil {
		return view{}, err
	}
	d.count(counts)
	p.closeBooks(ctx, d, from, until)
	if d.IsToday {
		if err := p.lookAhead(ctx, d, now); err != nil {
			return view{}, err
		}
		p.watch(ctx, d)
	}
	title := "Today"
	if !d.IsToday {
		title = d.Heading
	}
	return view{Name: "today", Title: title, Here: "today", Data: d}, nil
}

func dayLink(day time.Time) string { return "/?day=" + day.Format(dateForm) }

// order is in which the statuses are shown: what went well, what did not, what
// is open.
func order() []deliver.Status {
	return []deliver.Status{
		deliver.Sent, deliver.Delivered, deliver.Undelivered, deliver.Failed, deliver.Unknown,
		deliver.Expired, deliver.Suppressed, deliver.Pending, deliver.Sending,
	}
}

func (d *dayView) count(counts []lookup.Count) {
	by := map[string]int64{}
	for _, c := range counts {
		by[c.Status] += c.N
		d.Total += c.N
		if c.Status == string(deliver.Suppressed) {
			d.Suppressed = append(d.Suppressed, reasonRow{cause{string(c.Reason), why(c.Reason)}, c.N, d.link(c.Status, string(c.Reason))})
		}
	}
	for _, s := range order() {
		d.Tiles = append(d.Tiles, tile{chipOf(string(s)), by[string(s)], became(string(s)), d.link(string(s), "")})
	}
}

func (d *dayView) link(status, reason string) string {
	q := url.Values{"day": {d.Date}, "status": {status}}
	if reason != "" {
		q.Set("reason", reason)
	}
	return "/messages?" + q.Encode()
}

// patience is how long a part of the page may take that the page can do without.
const patience = 2 * time.Second

func (p *Pages) closeBooks(ctx context.Context, d *dayView, from, until time.Time) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	books, err := p.Books(ctx, from, until)
	if err != nil {
		p.Log.WarnContext(ctx, "the books are not shown", "error", err)
		d.BooksLate = true
		return
	}
	d.Books = &books
}

// ahead is how far the page looks.
const ahead = 24 * time.Hour

// lookAhead counts what has its time in the next hours: what the ledger holds,
// and what the rules will add to it.
func (p *Pages) lookAhead(ctx context.Context, d *dayView, now time.Time) error {
	// Hours as the clocks on the wall show them, also half an hour beside UTC's.
	hour := now.Truncate(time.Second).Add(-time.Duration(now.Minute())*time.Minute - time.Duration(now.Second())*time.Second)
	waiting, err := p.Ledger.DueByHour(ctx, now, hour, hour.Add(ahead))
	if err != nil {
		return err
	}
	d.Chart = newChart(hour, now.Location(), waiting)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q := forecast.Query{From: now, To: hour.Add(ahead)}
	if err := p.Foreseer.Forecast(ctx, q, d.Chart.foresee); err != nil {
		p.Log.WarnContext(ctx, "the forecast is not shown", "error", err)
		d.Chart.forget()
	}
	d.Chart.draw()
	return nil
}

// watch shows how the channels stand, as far as this process sees it.
func (p *Pages) watch(ctx context.Context, d *dayView) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	w, err := p.Watch(ctx)
	if err != nil {
		p.Log.WarnContext(ctx, "the ways out are not shown", "error", err)
		return
	}
	d.Watch = &w
	for _, way := range w.Ways {
		d.Ways = append(d.Ways, rowOf(way))
	}
	slices.SortFunc(d.Ways, func(a, b wayRow) int { return cmp.Compare(b.Channel, a.Channel) })
}

func rowOf(w Way) wayRow {
	row := wayRow{Channel: capital(channelName(w.Channel)), Via: w.Via, Breaker: "not in this process", Waiting: "nothing is late", Tone: "plain"}
	if w.OldestDue > 0 {
		row.Waiting = "due for " + span(w.OldestDue)
	}
	if !w.Here {
		return row
	}
	row.Tone = "good"
	switch w.Breaker {
	case "closed":
		row.Breaker = "closed: messages go out"
	case "ramping":
		row.Breaker, row.Tone = "ramping: trying again, step by step", "warn"
	default:
		row.Breaker, row.Tone = "open: parked, nothing goes out", "bad"
	}
	if w.Parked > 0 {
		row.Breaker += "; " + plural(w.Parked, "practice") + " held back"
		row.Tone = cmp.Or(map[string]string{"good": "warn"}[row.Tone], row.Tone)
	}
	return row
}
