package twilio

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"rappel/jobs/reply"
	"rappel/recipients"
)

// What is wrong with an inbound message. The texts hold nothing of it.
var (
	ErrNoSender  = errors.New("the message is not from a phone that can be written to")
	ErrNoTo      = errors.New("the message does not say which number it came to")
	ErrNoInbound = errors.New("the message has no SID")
	ErrNotText   = errors.New("the message's text cannot be read")
)

// NotForUs tells whether err is that of a message that rappel has no use for: it
// came by another channel than SMS, or from nobody who can be written to.
func NotForUs(err error) bool { return errors.Is(err, ErrNoSender) || errors.Is(err, ErrNoTo) }

// mostInbound is far above what Twilio lets through, in bytes.
const mostInbound = 16 << 10

// ParseInbound reads an incoming message ("Twilio's request to your incoming
// message webhook"). It does not ask who sent it. The text may be empty: a
// picture has none.
func ParseInbound(form url.Values) (reply.Inbound, error) {
	from, err := sender(form.Get("From"))
	to, sid, body := form.Get("To"), form.Get("MessageSid"), form.Get("Body")
	switch {
	case err != nil:
		return reply.Inbound{}, ErrNoSender
	case !isOurNumber(to):
		return reply.Inbound{}, ErrNoTo
	case !isMessageSID(sid):
		return reply.Inbound{}, ErrNoInbound
	case len(body) > mostInbound || !utf8.ValidString(body):
		return reply.Inbound{}, ErrNotText
	}
	return reply.Inbound{CarrierID: sid, From: from, Text: reply.WordsOf(body), TakenFor: takenFor(form.Get("OptOutType"))}, nil
}

// A person who gets RCS in place of SMS answers by RCS.
const byRCS = "rcs:"

// sender reads a number as Twilio writes it: E.164, with its plus. Short codes,
// and senders on other channels than SMS and RCS, are nobody whom we could have
// written to.
func sender(raw string) (recipients.Address, error) {
	raw = strings.TrimPrefix(raw, byRCS)
	if !strings.HasPrefix(raw, "+") {
		return recipients.Address{}, recipients.ErrNotPhone
	}
	return recipients.ParsePhone(raw, "")
}

// isOurNumber tells whether s can be a number of the account's: E.164, or a
// short code; or the name of an RCS sender.
func isOurNumber(s string) bool {
	if name, ok := strings.CutPrefix(s, byRCS); ok {
		return name != ""
	}
	digits := strings.TrimPrefix(s, "+")
	return digits != "" && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// takenFor is what Twilio took a message for, where the account has "Advanced
// Opt-Out"; to a call for help it has answered by itself.
func takenFor(optOutType string) reply.Meaning {
	switch strings.ToUpper(strings.TrimSpace(optOutType)) {
	case "STOP":
		return reply.OptOut
	case "START":
		return reply.OptIn
	case "HELP":
		return reply.Help
	}
	return ""
}
