package pages

import (
	"slices"
	"strings"

	"rappel/internal/kind"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// became says in words what a status means.
func became(status string) string {
	switch deliver.Status(status) {
	case deliver.Pending:
		return "waits for its time, or for its turn"
	case deliver.Sending:
		return "is being sent at this moment"
	case deliver.Sent:
		return "the receiver took it; no receipt has come"
	case deliver.Delivered:
		return "it arrived"
	case deliver.Undelivered:
		return "the receiver took it, and told later that it did not arrive"
	case deliver.Suppressed:
		return "not sent, on purpose"
	case deliver.Expired:
		return "not sent: it was too late to be of use"
	case deliver.Failed:
		return "not sent: refused for good, or tried in vain"
	case deliver.Unknown:
		return "it may have been sent: no answer came, or the process died"
	}
	return ""
}

// mark is the sign of a status: its colour is never alone.
func mark(status string) string {
	switch deliver.Status(status) {
	case deliver.Sent, deliver.Delivered:
		return "✓"
	case deliver.Pending, deliver.Sending:
		return "…"
	case deliver.Failed, deliver.Undelivered:
		return "!"
	case deliver.Unknown:
		return "?"
	case deliver.Suppressed, deliver.Expired:
	}
	return "–"
}

// tone is how a status is coloured.
func tone(status string) string {
	switch deliver.Status(status) {
	case deliver.Sent, deliver.Delivered:
		return "good"
	case deliver.Pending, deliver.Sending:
		return "open"
	case deliver.Failed, deliver.Undelivered:
		return "bad"
	case deliver.Unknown:
		return "warn"
	case deliver.Suppressed, deliver.Expired:
	}
	return "plain"
}

// A chip is a status as a page shows it.
type chip struct{ Word, Mark, Tone string }

func chipOf(status string) chip { return chip{status, mark(status), tone(status)} }

// why says in words what a reason means.
func why(r recipients.Reason) string {
	switch r {
	case recipients.FlagOff:
		return "messages of this sort are switched off for this person"
	case recipients.NoAddress:
		return "no address on file for the channel"
	case recipients.InvalidAddress:
		return "the address on file is not valid"
	case recipients.OptedOut:
		return "the address has opted out"
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
		return "the same address gets this already"
	case recipients.NotifyOff:
		return "messages are switched off for this appointment"
	default:
		return whyNot(r)
	}
}

// whyNot says what the visit, the hour, the text or the way out has against a
// message.
func whyNot(r recipients.Reason) string {
	switch r {
	case recipients.NotConfirmed:
		return "the appointment is only requested so far"
	case recipients.Cancelled:
		return "the appointment is cancelled"
	case recipients.Superseded:
		return "something newer took its place"
	case recipients.Past:
		return "it would come too late to be of use"
	case recipients.LateBooking:
		return "booked or moved after this was due"
	case recipients.QuietHours:
		return "no SMS at that hour, and later is too late"
	case recipients.BadTemplate:
		return "the text has a mistake in it, or is not there"
	case recipients.EmptyBody:
		return "the text came out empty"
	case recipients.AttemptsExhausted:
		return "tried until it was of no use any more"
	case recipients.Refused:
		return "the receiver refused it for good"
	case recipients.Status:
		return "the appointment's status speaks against it"
	case recipients.BadZone:
		return "the practice's time zone does not exist"
	default:
		return strings.ReplaceAll(string(r), "_", " ")
	}
}

// A cause is a reason, by its name and in words.
type cause struct{ Name, Words string }

func causes(all []recipients.Reason) []cause {
	cs := make([]cause, 0, len(all))
	for _, r := range all {
		cs = append(cs, cause{string(r), why(r)})
	}
	return cs
}

// outcome says in words what was decided.
func outcome(o recipients.Outcome) string {
	switch o {
	case recipients.Notify:
		return "somebody is told"
	case recipients.Silenced:
		return "nobody wants to be told"
	case recipients.Unreachable:
		return "somebody wants to be told, and nobody can be reached"
	case recipients.Skipped:
		return "nobody is told: the appointment, the time or the person's file speaks against it"
	}
	return string(o)
}

// kindName names a kind for people: "Appointment booked".
func kindName(k kind.Kind) string {
	words := strings.NewReplacer(".", " ", "_", " ").Replace(string(k))
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func channelName(c recipients.Channel) string {
	switch c {
	case recipients.SMS:
		return "SMS"
	case recipients.Email:
		return "e-mail"
	}
	return string(c)
}

// capital writes a word as the first of a sentence.
func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func channels() []recipients.Channel { return []recipients.Channel{recipients.SMS, recipients.Email} }

func known[T comparable](all []T, v T) bool {
	var none T
	return v == none || slices.Contains(all, v)
}
