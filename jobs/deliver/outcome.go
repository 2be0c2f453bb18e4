package deliver

import (
	"time"

	"rappel/internal/kind"
	"rappel/recipients"
)

// outcome translates an answer into what the ledger keeps.
func (h *Handler) outcome(n Notification, m Message, a Answer) Outcome {
	now := h.Now()
	o := Outcome{ID: n.ID, At: now, MessageID: a.MessageID, ErrorCode: a.Code}
	if a.Err != nil {
		o.Problem = a.Err.Error()
	}
	if a.Verdict == Refused {
		o.Silence = silence(n, m, a.Code, h.Via)
	}
	if n.Repeat && a.Verdict != Accepted {
		return stillUnknown(n, o, a, now)
	}
	switch a.Verdict {
	case Accepted:
		o.Status = Sent
	case Refused:
		o.Status, o.Reason = Failed, recipients.Refused
	case Unanswered:
		o.Status, o.RepeatAt = Unknown, n.repeatAt(now)
	case Misconfigured:
		o.Refund = true
		o = again(n, o, mostRest, mostRest)
	case Busy:
		o.Refund = true
		o = again(n, o, Delay(n.Attempts, a.RetryAfter), a.RetryAfter)
	default:
		o = again(n, o, Delay(n.Attempts, a.RetryAfter), a.RetryAfter)
	}
	return o
}

// again asks once more after wait, unless the message is of no use then. Where
// a long wait alone would be too long, half of the time left is waited for, as
// long as that is not less than what the receiver asked for.
func again(n Notification, o Outcome, wait, asked time.Duration) Outcome {
	left := n.NotAfter.Sub(o.At)
	if half := left / 2; wait >= left && half >= max(First, min(asked, mostAsked)) {
		wait = half
	}
	if wait >= left {
		o.Status, o.Reason = Expired, recipients.AttemptsExhausted
		return o
	}
	o.Status, o.NotBefore = Pending, o.At.Add(wait)
	return o
}

// A message that may have gone is sent once more, after a wait in which its
// receipt may come, if it matters more that it arrives than that it arrives
// once, and if there is time.
const (
	repeatAfter  = 5 * time.Minute
	repeatBefore = time.Hour // to the start
)

// repeatAt is when n, which may have gone at now, is sent once more; zero where
// it never is.
func (n Notification) repeatAt(now time.Time) time.Time {
	at := now.Add(repeatAfter)
	if !n.repeatable(at) {
		return time.Time{}
	}
	return at
}

// repeatable tells whether n, if it may have gone, may go again at the given
// time. Without a reminder or a cancellation somebody stands before a closed
// door; any other message can be missed.
func (n Notification) repeatable(at time.Time) bool {
	return (n.Kind == kind.Reminder || n.Kind == kind.Cancelled) && n.StartsAt.Sub(at) > repeatBefore
}

// stillUnknown is what becomes of a message that may have gone before, and that
// the receiver has not taken now. It stays so; where nothing went this time
// either, the repeat is tried again.
func stillUnknown(n Notification, o Outcome, a Answer, now time.Time) Outcome {
	o.Status = Unknown
	if a.Verdict == Refused || a.Verdict == Unanswered {
		return o
	}
	o.Refund = a.Verdict != Later
	if at := now.Add(Delay(n.Attempts, a.RetryAfter)); n.repeatable(at) {
		o.RepeatAt = at
	}
	return o
}

func silence(n Notification, m Message, code string, by Way) *Silence {
	switch code {
	case CodeOptedOut, CodeInvalidAddress, CodeLandline:
		return &Silence{PracticeID: n.PracticeID, Channel: n.Channel, Address: m.To, Code: code, Source: string(by)}
	}
	return nil
}
