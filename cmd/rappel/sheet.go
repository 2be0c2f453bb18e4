package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A sheet shows rows that come in the order of time as one table a day, so that
// it holds no more than a day of them.
type sheet struct {
	out     io.Writer
	zone    *time.Location
	colours bool
	head    table.Row
	today   string
	rows    []table.Row
	loud    map[int]bool // rows that stand out
}

func newSheet(out io.Writer, zone *time.Location, columns ...string) *sheet {
	s := &sheet{out: out, zone: zone, colours: terminal(out), loud: map[int]bool{}}
	for _, c := range columns {
		s.head = append(s.head, strings.ToUpper(c))
	}
	return s
}

// add adds a row that belongs to a moment, and begins another table with
// another day. A loud row stands out, on paper too.
func (s *sheet) add(at time.Time, loud bool, cells ...string) error {
	day := at.In(s.zone).Format("Monday, January 2, 2006")
	if day != s.today {
		if err := s.flush(); err != nil {
			return err
		}
		s.today = day
	}
	row := make(table.Row, 0, len(cells)+1)
	for _, c := range cells {
		row = append(row, c)
	}
	if loud {
		s.loud[len(s.rows)] = true
		row[0] = cells[0] + " !"
	}
	s.rows = append(s.rows, row)
	return nil
}

// flush writes the table of the day, if there is one.
func (s *sheet) flush() error {
	if len(s.rows) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(s.out, "%s (%s)\n%s\n\n", s.today, s.zone, s.render())
	s.rows, s.loud = nil, map[int]bool{}
	return err
}

func (s *sheet) render() string { return render(s.head, s.rows, s.loud, s.colours) }

// render writes rows below their head, two blanks between the columns.
func render(head table.Row, rows []table.Row, loud map[int]bool, colours bool) string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	t.AppendHeader(head)
	t.AppendRows(rows)
	if colours {
		t.SetRowPainter(func(_ table.Row, a table.RowAttributes) text.Colors {
			if loud[a.Number-1] {
				return text.Colors{text.Bold, text.FgRed}
			}
			return nil
		})
	}
	return t.Render()
}

// clock is the time of day of t.
func (s *sheet) clock(t time.Time) string { return t.In(s.zone).Format("15:04") }

// day is t with its day.
func (s *sheet) day(t time.Time) string { return t.In(s.zone).Format("Mon Jan 2 15:04") }

// plain is text of the practice's without what could move a terminal's cursor.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
