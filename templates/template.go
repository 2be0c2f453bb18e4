package templates

import (
	"fmt"
	"strings"
)

// A Template is a compiled text. It never changes and may be used by any
// number of goroutines at once.
type Template struct {
	ops  []op
	size int    // bytes of all words in ops
	uses uint64 // a bit for each placeholder
}

// An op is one step of a rendering.
type op struct {
	code   opcode
	name   placeholder
	place  place  // where the value stands, in an HTML template
	target int    // where opIf and opElse jump to
	branch int    // the branch of a section that it stands in
	at     int    // its offset in the template
	text   string // opWords: the words; opValue: the words for a missing value
}

type opcode uint8

const (
	opWords opcode = iota
	opValue
	opIf
	opElse
	opEnd
)

// A SyntaxError is one mistake in a template. Its text is for the person who
// wrote the template; it repeats nothing but the name in the brackets.
type SyntaxError struct {
	Line, Column  int    // from 1; columns count characters
	Message       string // what is wrong, without the position
	Name, Nearest string // an unknown placeholder and the known one nearest to it; else empty
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Uses tells whether the template shows or asks for the placeholder, given by
// its name in any case.
func (t *Template) Uses(name string) bool {
	p, ok := lookup(name)
	return ok && t.uses&(1<<p) != 0
}

// template is the finished work.
func (c *compiler) template() *Template {
	t := &Template{ops: c.ops}
	if len(t.ops) > 0 && t.ops[0].code == opWords {
		t.ops[0].text = strings.TrimLeft(t.ops[0].text, " \n")
	}
	for _, o := range c.ops {
		t.size += len(o.text)
		switch {
		case o.code != opValue && o.code != opIf:
		case o.name == bareTime:
			t.uses |= 1 << appointmentTime
		case o.name == bareEndTime:
			t.uses |= 1 << appointmentEndTime
		default:
			t.uses |= 1 << o.name
		}
	}
	return t
}
