package sendgrid

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"rappel/jobs"
	"rappel/jobs/deliver"
)

// An Event is what SendGrid tells about a message. Events come late, repeated
// and in any order: see [Kind.Rank].
type Event struct {
	NotificationID string // ours; empty: the account sends other mail too
	ClaimID        string // ours, of the try; may be empty
	EventID        string // SendGrid's own, the same on every repeat; may be empty
	Kind           Kind
	Reason         Reason
	SMTP           string    // what the other mail server said, in its number alone: 5.1.1, 550
	At             time.Time // zero: SendGrid did not say, or not legibly
}

// Receipt is what the event comes to for the ledger.
func (e Event) Receipt(now time.Time) deliver.Receipt {
	r := deliver.Receipt{
		NotificationID: e.NotificationID, ClaimID: e.ClaimID, Status: e.Kind.Status(),
		Silence: e.Silence(), Resumes: e.Kind == GroupResubscribe, Source: string(deliver.BySendGrid), At: e.At,
	}
	if r.At.IsZero() || r.At.After(now) {
		r.At = now
	}
	if r.Status == deliver.Undelivered {
		r.ErrorCode = e.Code()
	}
	return r
}

// What is wrong with a body of events. The texts hold nothing of it.
var (
	ErrTooLarge  = errors.New("more events than SendGrid sends at once")
	ErrNotEvents = errors.New("not a list of events")
)

// What SendGrid sends at once is at most some 768 KB.
const (
	mostBody   = 1 << 20
	mostEvents = 10_000
)

// ParseEvents reads a webhook's body. It does not ask who sent it. A field of an
// unexpected shape counts as missing, so that one odd event does not keep back
// those beside it. Source: "SendGrid: Event Webhook Reference".
func ParseEvents(body []byte) ([]Event, error) {
	if len(body) > mostBody {
		return nil, ErrTooLarge
	}
	var list []*wire
	if json.Unmarshal(body, &list) != nil || list == nil {
		return nil, ErrNotEvents
	}
	if len(list) > mostEvents {
		return nil, ErrTooLarge
	}
	events := make([]Event, len(list))
	for i, w := range list {
		if w == nil {
			return nil, ErrNotEvents
		}
		events[i] = w.event()
	}
	return events, nil
}

// wire is an event as it comes. Of addresses and texts, only what is read for a
// code is taken at all.
type wire struct {
	Event          text `json:"event"`
	Type           text `json:"type"`
	Notification   text `json:"notification_id"`
	Claim          text `json:"claim_id"`
	ID             text `json:"sg_event_id"`
	Timestamp      text `json:"timestamp"`
	Reason         text `json:"reason"`
	Status         text `json:"status"`
	Classification text `json:"bounce_classification"`
}

// text is a string, or a number as it was written; anything else is empty.
type text string

// UnmarshalJSON never fails: see [ParseEvents].
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	*t = ""
	switch {
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	case strings.Trim(string(b), "0123456789") == "":
		*t = text(b)
	}
	return nil
}

func (w *wire) event() Event {
	e := Event{Kind: w.kind(), At: w.at(), SMTP: w.smtp()}
	if jobs.IsID(string(w.Notification)) {
		e.NotificationID = string(w.Notification)
	}
	if jobs.IsID(string(w.Claim)) {
		e.ClaimID = string(w.Claim)
	}
	if isToken(string(w.ID)) {
		e.EventID = string(w.ID)
	}
	e.Reason = w.reason(e.Kind)
	return e
}

func (w *wire) at() time.Time {
	at, err := parseTimestamp(string(w.Timestamp))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// smtp is the status of a bounce, if it is one: digits with dots between.
func (w *wire) smtp() string {
	s := string(w.Status)
	if s == "" || len(s) > 11 || strings.Trim(s, "0123456789.") != "" {
		return ""
	}
	for part := range strings.SplitSeq(s, ".") {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil {
			return ""
		}
	}
	return s
}

// A Kind is what happened to a message. One that is not listed here is empty
// and says nothing.
type Kind string

// The kinds of events. Blocked is a bounce of the type "blocked" or "expired":
// this message was turned away, or was not taken in time; the address is good.
const (
	Processed        Kind = "processed"
	Deferred         Kind = "deferred"
	Delivered        Kind = "delivered"
	Bounce           Kind = "bounce"
	Blocked          Kind = "blocked"
	Dropped          Kind = "dropped"
	SpamReport       Kind = "spamreport"
	Unsubscribe      Kind = "unsubscribe"
	GroupUnsubscribe Kind = "group_unsubscribe"
	GroupResubscribe Kind = "group_resubscribe"
	Open             Kind = "open"
	Click            Kind = "click"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		Processed, Deferred, Delivered, Bounce, Blocked, Dropped,
		SpamReport, Unsubscribe, GroupUnsubscribe, GroupResubscribe, Open, Click,
	}
}

func (w *wire) kind() Kind {
	for _, k := range Kinds() {
		if string(w.Event) != string(k) {
			continue
		}
		if k == Bounce && (w.Type == "blocked" || w.Type == "expired") {
			return Blocked
		}
		return k
	}
	return ""
}

// Rank orders kinds: one that comes in replaces another only if its own rank is
// higher, so that a late "deferred" takes nothing from "delivered". All final
// kinds have the same, so that the first one stays. Zero says nothing about
// delivery; see [Event.Silence] all the same.
func (k Kind) Rank() int {
	switch k {
	case Processed:
		return 1
	case Deferred:
		return 2
	case Delivered, Bounce, Blocked, Dropped:
		return 3
	default:
		return 0
	}
}

// Final tells whether nothing about delivery comes after k.
func (k Kind) Final() bool { return k.Rank() == Delivered.Rank() }

// Status is what k means for the ledger, or empty where it says nothing about
// delivery.
func (k Kind) Status() deliver.Status {
	switch k {
	case Processed, Deferred:
		return deliver.Sent
	case Delivered:
		return deliver.Delivered
	case Bounce, Blocked, Dropped:
		return deliver.Undelivered
	default:
		return ""
	}
}

func isToken(s string) bool {
	return len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
