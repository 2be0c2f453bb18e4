package dev

import (
	"fmt"
	"strings"
	"time"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/recipients"
)

// why says in a few words, for people, what a reason means for a message of
// kind k on channel c.
func why(r recipients.Reason, k kind.Kind, c recipients.Channel) string {
	address := "e-mail address"
	if c == recipients.SMS {
		address = "mobile number"
	}
	switch r {
	case recipients.FlagOff:
		return switchedOff(k)
	case recipients.NoAddress:
		return "no " + address + " on file"
	case recipients.InvalidAddress:
		return "the " + address + " on file is not valid"
	case recipients.OptedOut:
		return optedOut(c)
	case recipients.DoNotContact:
		return "asked not to be contacted at all"
	case recipients.ClientArchived:
		return "the client's file is archived"
	case recipients.PracticeInactive:
		return "the practice is not active"
	case recipients.MethodNone:
		return "the client wants no messages"
	case recipients.UnsupportedMethod:
		return "the client prefers calls, which are not made"
	case recipients.BadMethod:
		return "the client's preferred method is not known"
	case recipients.Duplicate:
		return "the same " + address + " gets this already"
	case recipients.NotifyOff:
		return "messages are switched off for this visit"
	case recipients.BadTemplate:
		return "the text has a mistake in it"
	case recipients.EmptyBody:
		return "the text came out empty"
	case recipients.AttemptsExhausted:
		return "tried until it was of no use any more"
	case recipients.Refused:
		return "the main app refused it for good"
	default:
		return whyNot(r)
	}
}

// whyNot says what the visit or the hour has against a message.
func whyNot(r recipients.Reason) string {
	switch r {
	case recipients.NotConfirmed:
		return "the visit is only requested so far"
	case recipients.Cancelled:
		return "the visit is cancelled"
	case recipients.Superseded:
		return "something newer took its place"
	case recipients.Past:
		return "it comes too late to be of use"
	case recipients.LateBooking:
		return "the visit was booked after this was due"
	case recipients.QuietHours:
		return "no SMS at such an hour, and later is too late"
	case recipients.Status:
		return "the visit's status speaks against it"
	case recipients.BadZone:
		return "the practice's time zone does not exist"
	default:
		return strings.ReplaceAll(string(r), "_", " ")
	}
}

func optedOut(c recipients.Channel) string {
	if c == recipients.SMS {
		return "has answered STOP"
	}
	return "has unsubscribed"
}

// switchedOff says which switch, or which missing right, keeps a kind of message
// from somebody.
func switchedOff(k kind.Kind) string {
	switch k {
	case kind.Reminder, kind.TelehealthLink:
		return "reminders are switched off"
	case kind.Scheduled:
		return "scheduled messages are switched off"
	case kind.PortalInvited:
		return "has no access to the portal"
	case kind.PortalMessage:
		return "may not exchange messages in the portal"
	case kind.FormSent, kind.FormSignatureRequested:
		return "is not a contact of this client"
	case kind.DocumentShared:
		return "may not see documents in the portal"
	case kind.InvoiceIssued:
		return "does not manage the billing"
	case kind.EstimateIssued:
		return "an estimate is for the client alone"
	default:
		return "confirmations are switched off"
	}
}

// whatHappened names a kind in one or two words.
func whatHappened(k kind.Kind) string {
	switch k {
	case kind.Missed:
		return "Marked missed"
	case kind.Rescheduled:
		return "Moved"
	case kind.Scheduled:
		return "Scheduled message"
	case kind.PortalInvited:
		return "Portal invitation"
	case kind.PortalMessage:
		return "Portal message"
	case kind.FormSent:
		return "Form"
	case kind.FormSignatureRequested:
		return "Form to sign"
	case kind.DocumentShared:
		return "Document"
	case kind.InvoiceIssued:
		return "Invoice"
	case kind.EstimateIssued:
		return "Estimate"
	default:
	}
	_, word, _ := strings.Cut(string(k), ".")
	word = strings.ReplaceAll(word, "_", " ")
	if word == "" {
		return string(k)
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

func channelName(c recipients.Channel) string {
	switch c {
	case recipients.SMS:
		return "SMS"
	case recipients.Email:
		return "E-mail"
	}
	return string(c)
}

func statusName(s schedule.Status) string {
	if s == "" {
		return "Unknown"
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}

// clockTime is a time of day as this country writes it.
func clockTime(t time.Time) string { return t.Format("3:04 PM") }

// dayName is a day as seen from now; both are in the zone of the reader.
func dayName(t, now time.Time) string {
	switch daysBetween(now, t) {
	case -1:
		return "Yesterday"
	case 0:
		return "Today"
	case 1:
		return "Tomorrow"
	}
	if t.Year() != now.Year() {
		return t.Format("Mon, Jan 2, 2006")
	}
	return t.Format("Mon, Jan 2")
}

// dayAndTime is a day and a time, the day only where it is not today.
func dayAndTime(t, now time.Time) string {
	day := dayName(t, now)
	switch daysBetween(now, t) {
	case 0:
		return clockTime(t)
	case -1, 1:
		day = strings.ToLower(day)
	}
	return day + ", " + clockTime(t)
}

// weekdayAndTime is short: for what stands beside a date that it belongs to.
func weekdayAndTime(t, now time.Time) string {
	switch daysBetween(now, t) {
	case 0:
		return "today " + clockTime(t)
	case 1:
		return "tomorrow " + clockTime(t)
	}
	return t.Format("Mon 3:04 PM")
}

func daysBetween(a, b time.Time) int {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(date(b).Sub(date(a)) / (24 * time.Hour))
}

// aheadOfTime says how far the demo's clock was turned on.
func aheadOfTime(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := d/(24*time.Hour), d%(24*time.Hour)/time.Hour, d%time.Hour/time.Minute
	var parts []string
	for _, p := range []struct {
		n    time.Duration
		unit string
	}{{days, "day"}, {hours, "hour"}, {minutes, "minute"}} {
		switch {
		case p.n == 1:
			parts = append(parts, "1 "+p.unit)
		case p.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", p.n, p.unit))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts[:min(2, len(parts))], ", ") + " ahead of the real time"
}

// inWords joins names: "Leo, Mia and Rosa".
func inWords(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
