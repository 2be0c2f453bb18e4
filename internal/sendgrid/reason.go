package sendgrid

import (
	"slices"
	"strings"

	"rappel/jobs/deliver"
)

// A Reason is why a message was not delivered, as a word. SendGrid's sentence is
// never kept: it quotes the address.
type Reason string

// The reasons of a bounce ("Bounce and Block Classifications") and of a drop
// ("Event Webhook Reference: Dropped").
const (
	InvalidAddress     Reason = "invalid_address"
	MailboxUnavailable Reason = "mailbox_unavailable"
	Technical          Reason = "technical"
	Content            Reason = "content"
	Reputation         Reason = "reputation"
	TooOften           Reason = "too_often"
	BouncedBefore      Reason = "bounced_before"
	Unsubscribed       Reason = "unsubscribed"
	ReportedSpam       Reason = "reported_spam"
	OverQuota          Reason = "over_quota"
	Other              Reason = "other"
)

func (w *wire) reason(k Kind) Reason {
	switch k {
	case Bounce, Blocked:
		return classification(string(w.Classification))
	case Dropped:
		return dropReason(string(w.Reason))
	default:
		return ""
	}
}

func classification(s string) Reason {
	switch s = strings.ToLower(s); {
	case s == "invalid address":
		return InvalidAddress
	case s == "mailbox unavailable":
		return MailboxUnavailable
	case strings.HasPrefix(s, "technical"):
		return Technical
	case s == "content":
		return Content
	case s == "reputation":
		return Reputation
	case strings.HasPrefix(s, "frequency"):
		return TooOften
	}
	return Other
}

func dropReason(s string) Reason {
	switch s = strings.ToLower(s); {
	case s == "invalid":
		return InvalidAddress
	case strings.HasPrefix(s, "bounced address"):
		return BouncedBefore
	case strings.HasPrefix(s, "unsubscribed address"):
		return Unsubscribed
	case strings.HasPrefix(s, "spam reporting address"):
		return ReportedSpam
	case strings.HasPrefix(s, "spam content"):
		return Content
	case strings.Contains(s, "package quota"):
		return OverQuota
	}
	return Other
}

// Silence is deliver's word for what the event says about the address, or empty.
// A complaint or a bounce may come after the message was delivered, and counts
// then too.
func (e Event) Silence() string {
	switch e.Kind {
	case SpamReport, Unsubscribe, GroupUnsubscribe:
		return deliver.CodeOptedOut
	case Bounce:
		return e.bounced()
	case Dropped:
		return e.Reason.silence()
	default:
		return ""
	}
}

// bounced is what a bounce says about the address. A full mailbox, a failure that
// passes, and what the other server has against the message or its sender say
// nothing about it.
func (e Event) bounced() string {
	aboutUs := slices.Contains([]Reason{Technical, Content, Reputation, TooOften}, e.Reason)
	if aboutUs || e.SMTP == "5.2.2" || strings.HasPrefix(e.SMTP, "4") {
		return ""
	}
	return deliver.CodeInvalidAddress
}

func (r Reason) silence() string {
	switch r {
	case InvalidAddress, BouncedBefore:
		return deliver.CodeInvalidAddress
	case Unsubscribed, ReportedSpam:
		return deliver.CodeOptedOut
	default:
		return ""
	}
}

// Code is what the ledger keeps of the event: the other mail server's number if
// there is one, else the reason.
func (e Event) Code() string {
	if e.SMTP != "" {
		return e.SMTP
	}
	return string(e.Reason)
}
