package twilio

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"rappel/recipients"
)

// An Inbound is a text message from a person.
type Inbound struct {
	From       recipients.Address // who wrote
	To         string             // the number of ours that they wrote to
	Body       Words
	MessageSID string
	OptOutType OptOut
}

// An OptOut is what Twilio took a message for, where the account has "Advanced
// Opt-Out"; empty otherwise.
type OptOut string

// What Twilio may take a message for.
const (
	Stop  OptOut = "STOP"
	Start OptOut = "START"
	Help  OptOut = "HELP"
)

// Words are what a person wrote. They are masked by type, however they are
// printed, logged or marshalled; the one way out is [Words.Reveal].
type Words struct {
	text *string // fmt prints strings of unexported fields without asking any method, but not what pointers within point to
}

// WordsOf returns s as words.
func WordsOf(s string) Words { return Words{&s} }

// Reveal returns the words themselves, which no log may have.
func (w Words) Reveal() string {
	if w.text == nil {
		return ""
	}
	return *w.text
}

const hidden = "•••"

// String masks the words.
func (w Words) String() string { return hidden }

// GoString masks the words.
func (w Words) GoString() string { return hidden }

// MarshalText masks the words.
func (w Words) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// What is wrong with an inbound message. The texts hold nothing of it.
var (
	ErrNoSender  = errors.New("the message is not from a phone that can be written to")
	ErrNoTo      = errors.New("the message does not say which number it came to")
	ErrNoInbound = errors.New("the message has no SID")
	ErrNotText   = errors.New("the message's text cannot be read")
)

// mostInbound is far above what Twilio lets through, in bytes.
const mostInbound = 16 << 10

// ParseInbound reads an incoming message ("Twilio's request to your incoming
// message webhook"). It does not ask who sent it. The text may be empty: a
// picture has none.
func ParseInbound(form url.Values) (Inbound, error) {
	from, err := sender(form.Get("From"))
	to, sid, body := form.Get("To"), form.Get("MessageSid"), form.Get("Body")
	switch {
	case err != nil:
		return Inbound{}, ErrNoSender
	case !isOurNumber(to):
		return Inbound{}, ErrNoTo
	case !isMessageSID(sid):
		return Inbound{}, ErrNoInbound
	case len(body) > mostInbound || !utf8.ValidString(body):
		return Inbound{}, ErrNotText
	}
	return Inbound{From: from, To: to, Body: WordsOf(body), MessageSID: sid, OptOutType: optOut(form.Get("OptOutType"))}, nil
}

// sender reads a number as Twilio writes it: E.164, with its plus. Short codes,
// and senders on other channels than SMS, are nobody whom we could have written
// to.
func sender(raw string) (recipients.Address, error) {
	if !strings.HasPrefix(raw, "+") {
		return recipients.Address{}, recipients.ErrNotPhone
	}
	return recipients.ParsePhone(raw, "")
}

// isOurNumber tells whether s can be a number of the account's: E.164, or a
// short code.
func isOurNumber(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return digits != "" && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

func optOut(s string) OptOut {
	switch o := OptOut(strings.ToUpper(strings.TrimSpace(s))); o {
	case Stop, Start, Help:
		return o
	}
	return ""
}
