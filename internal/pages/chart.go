package pages

import (
	"time"

	"rappel/internal/lookup"
	"rappel/jobs/forecast"
)

// A chart shows what is due by hours, as a picture and as a table.
type chart struct {
	Overdue    int64
	Waiting    int64 // from the ledger
	Foreseen   int64 // from the rules
	Unforeseen bool  // the rules could not be asked in time
	Hours      []hour
	Most       int64
	Width      int
	Ground     int // where the bars stand

	from time.Time
	zone *time.Location
}

// An hour is one bar: what the ledger holds below, what the rules add on top.
type hour struct {
	Label             string // of the table
	Short             string // below the bar; empty: none
	Waiting, Foreseen int64

	X, WaitingY, WaitingHeight, ForeseenY, ForeseenHeight int
}

// The picture is drawn in units of its own, and scales with the page.
const (
	bar, gap   = 20, 6
	barsHeight = 96
	topMargin  = 20
	labelEvery = 4
)

func newChart(from time.Time, zone *time.Location, waiting []lookup.Due) *chart {
	c := &chart{from: from, zone: zone, Hours: make([]hour, int(ahead/time.Hour)), Ground: topMargin + barsHeight}
	for i := range c.Hours {
		h := &c.Hours[i]
		at := from.Add(time.Duration(i) * time.Hour).In(zone)
		h.Label = at.Format("Mon 15:04")
		if i%labelEvery == 0 {
			h.Short = at.Format("15:04")
		}
		h.X = i * (bar + gap)
	}
	c.Width = len(c.Hours)*(bar+gap) - gap
	for _, d := range waiting {
		if d.Hour.IsZero() {
			c.Overdue += d.N
		} else if h := c.at(d.Hour); h != nil {
			h.Waiting += d.N
			c.Waiting += d.N
		}
	}
	return c
}

func (c *chart) at(t time.Time) *hour {
	i := int(t.Sub(c.from) / time.Hour)
	if t.Before(c.from) || i >= len(c.Hours) {
		return nil
	}
	return &c.Hours[i]
}

// foresee adds a message that a rule will bring.
func (c *chart) foresee(l forecast.Line) error {
	if h := c.at(l.SendAt); h != nil && l.Send {
		h.Foreseen++
		c.Foreseen++
	}
	return nil
}

// forget takes back what was foreseen: half an answer is none.
func (c *chart) forget() {
	c.Unforeseen, c.Foreseen = true, 0
	for i := range c.Hours {
		c.Hours[i].Foreseen = 0
	}
}

// draw gives the bars their heights.
func (c *chart) draw() {
	for _, h := range c.Hours {
		c.Most = max(c.Most, h.Waiting+h.Foreseen)
	}
	for i := range c.Hours {
		h := &c.Hours[i]
		h.WaitingHeight = c.height(h.Waiting)
		h.ForeseenHeight = c.height(h.Waiting+h.Foreseen) - h.WaitingHeight
		h.WaitingY = c.Ground - h.WaitingHeight
		h.ForeseenY = h.WaitingY - h.ForeseenHeight
	}
}

// height is that of a count; one is never nothing.
func (c *chart) height(n int64) int {
	if n == 0 {
		return 0
	}
	return max(3, int(n*barsHeight/c.Most))
}
