package templates

import (
	"errors"
	"fmt"
	"strings"
)

// The channels and audiences of a [Source].
const (
	SMS   = "sms"
	Email = "email"

	ForAny     = "any"
	ForClient  = "client"
	ForContact = "contact"
)

// A Source is one text as somebody wrote it: a row of the templates table, or a
// built-in text, which has no ID.
type Source struct {
	ID         string
	PracticeID string // empty: for all practices
	Name       string // a kind of message, or a name that a rule uses
	Channel    string // "sms" or "email"
	Audience   string // "any", "client" or "contact"
	Locale     string // BCP 47
	Subject    string // e-mail only
	Body       string // plain text, or HTML if it begins with "<" and the channel is e-mail
	Version    int
}

// A Message is what goes out. An SMS has a Text only.
type Message struct {
	Subject, Text, HTML string
}

// ErrEmptyBody says that nothing but blanks is left of a body once rendered.
var ErrEmptyBody = errors.New("the message is empty")

// Compiled is a Source that is ready to be rendered, by any number of
// goroutines at once.
type Compiled struct {
	subject *Template // nil for an SMS
	body    body
}

// A body is the part of a message below the subject.
type body interface {
	render(v *Values, subject string) (text, html string)
	uses(name string) bool
}

// MaxSize is how many bytes a subject and a body may have together. Gmail clips
// an email at 102 kB.
const MaxSize = 256 << 10

// ErrTooLarge says that a text has more than [MaxSize] bytes.
var ErrTooLarge = fmt.Errorf("the text is too large: shorten subject and body to at most %d kB", MaxSize>>10)

// Compile reads the subject and the body. Its error is [ErrTooLarge], or joins
// one *[SyntaxError] for each mistake.
func (s Source) Compile() (*Compiled, error) {
	if len(s.Subject)+len(s.Body) > MaxSize {
		return nil, ErrTooLarge
	}
	switch s.Channel {
	case SMS:
		b, err := Compile(s.Body)
		if err != nil {
			return nil, err
		}
		return &Compiled{body: note{b}}, nil
	case Email:
		return s.compileEmail()
	}
	return nil, fmt.Errorf("channel %q is neither %s nor %s", s.Channel, SMS, Email)
}

func (s Source) compileEmail() (*Compiled, error) {
	subject, err := Compile(oneLine(s.Subject))
	if err != nil {
		err = fmt.Errorf("subject: %w", err)
	}
	b, bodyErr := s.compileBody()
	if err := errors.Join(err, bodyErr); err != nil {
		return nil, err
	}
	return &Compiled{subject: subject, body: b}, nil
}

func (s Source) compileBody() (body, error) {
	if strings.HasPrefix(strings.TrimSpace(s.Body), "<") {
		return compileMarkup(s.Body, newPage(s.Locale))
	}
	t, err := Compile(s.Body)
	return letter{t, newPage(s.Locale)}, err
}

// Render writes the message. The error is [ErrEmptyBody] where nothing is left
// to read. A subject that comes out empty is the name of the practice.
func (c *Compiled) Render(v *Values) (Message, error) {
	var m Message
	if c.subject != nil {
		m.Subject = oneLine(c.subject.Text(v)) // Visits has lines
		if isBlank(m.Subject) {
			m.Subject = v.text[practiceName]
		}
	}
	m.Text, m.HTML = c.body.render(v, m.Subject)
	if isBlank(m.Text) {
		return Message{}, ErrEmptyBody
	}
	return m, nil
}

// Uses tells whether the subject or the body uses the placeholder, given by
// its name in any case.
func (c *Compiled) Uses(name string) bool {
	return c.body.uses(name) || c.subject != nil && c.subject.Uses(name)
}

// A note is the body of an SMS.
type note struct{ *Template }

func (n note) render(v *Values, _ string) (text, html string) { return n.Text(v), "" }
func (n note) uses(name string) bool                          { return n.Uses(name) }
