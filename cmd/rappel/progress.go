package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A progress tells people how far long work is: by a bar on a terminal, else by
// a line now and then. It goes to standard error, so that standard output holds
// the result alone. One goroutine uses it, the one that works: what draws by
// itself would draw across what that one prints on the same terminal.
type progress struct {
	out   io.Writer
	bar   bool
	now   func() time.Time
	what  string
	total int

	done        int
	began, said time.Time
	drawn       bool // the bar is on the screen
	told        bool // there was a line
}

// How often people are told.
const (
	drawEvery = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// progress begins to tell of work on so many things.
func (e *env) progress(what string, total int) *progress {
	return newProgress(e.stderr, terminal(e.stderr) && e.getenv("TERM") != "dumb", what, total, time.Now)
}

func newProgress(out io.Writer, bar bool, what string, total int, now func() time.Time) *progress {
	p := &progress{out: out, bar: bar, now: now, what: what, total: total, began: now()}
	p.said = p.began
	if bar && total > 0 {
		p.draw() // the first step may take long
	}
	return p
}

// step says that one more is done.
func (p *progress) step() {
	p.done++
	every := lineEvery
	if p.bar {
		every = drawEvery
	}
	now := p.now()
	if now.Sub(p.said) < every {
		return
	}
	p.said = now
	if p.bar {
		p.draw()
		return
	}
	p.told = true
	fmt.Fprintf(p.out, "rappel: %s: %s\n", p.what, p.status())
}

// end takes the bar away, or closes what lines began.
func (p *progress) end() {
	p.clear()
	if p.told {
		fmt.Fprintf(p.out, "rappel: %s: %d of %d, in %s\n", p.what, p.done, p.total, p.now().Sub(p.began).Round(time.Second))
	}
}

// status is how far it is, how fast it goes and how long it still takes.
func (p *progress) status() string {
	s := fmt.Sprintf("%d of %d", p.done, p.total)
	took := p.now().Sub(p.began)
	if p.done == 0 || took <= 0 {
		return s
	}
	left := time.Duration(float64(took) / float64(p.done) * float64(max(p.total-p.done, 0)))
	return fmt.Sprintf("%s, %.3g a second, %s left", s, float64(p.done)/took.Seconds(), left.Round(time.Second))
}

// The line of a terminal.
const (
	clearLine = "\r\x1b[K"
	barWidth  = 24
)

func (p *progress) draw() {
	full := 0
	if p.total > 0 {
		full = min(p.done*barWidth/p.total, barWidth)
	}
	p.drawn = true
	fmt.Fprintf(p.out, "%s%s %s%s %s", clearLine, p.what, strings.Repeat("█", full), strings.Repeat("░", barWidth-full), p.status())
}

func (p *progress) clear() {
	if p.drawn {
		p.drawn = false
		fmt.Fprint(p.out, clearLine)
	}
}

// beside is w for what is printed while the bar may be on the same terminal: the
// bar makes room, and is drawn again by the next step.
func (p *progress) beside(w io.Writer) io.Writer {
	if !p.bar {
		return w
	}
	return writerFunc(func(b []byte) (int, error) {
		p.clear()
		return w.Write(b)
	})
}

// A writerFunc is a writer that is a function.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
