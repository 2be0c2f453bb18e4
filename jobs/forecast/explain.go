package forecast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rappel/internal/kind"
	"rappel/jobs/plan"
	"rappel/recipients"
)

// ErrUnknown says that nothing at all is known of an appointment or an event.
var ErrUnknown = errors.New("nothing is known of it: no such appointment or event, and nothing was told or decided about it")

// State tells how far a matter has come.
type State string

// The states of an entry.
const (
	StateDecided State = "decided" // what was decided, and what became of it
	StateAgain   State = "again"   // an event told twice: the first decides
	StateWaiting State = "waiting" // an event that nobody has decided about yet
	StateAhead   State = "ahead"   // a rule whose time will come
	StateMissed  State = "missed"  // a rule whose time came when nobody looked
)

// An Entry is one step in the story of an appointment: an event or a rule, and
// every candidate.
type Entry struct {
	At         time.Time // decided or told; of a rule ahead: when its first message goes or it is due
	State      State
	Kind       kind.Kind
	EventID    string
	RuleID     string
	RuleName   string
	DecisionID string // of one told again: the first's
	StartsAt   time.Time
	Outcome    recipients.Outcome
	Detail     string // what was wrong with the event itself
	Lines      []Line
}

// An Explanation is the story of one appointment, or of one event, in the order
// of time.
type Explanation struct {
	EventID       string    // of one event's
	Kind          kind.Kind // likewise
	AppointmentID string    // empty: a notice that names none
	StartsAt      time.Time // zero: the appointment is not there, or is only named by a notice
	Status        string
	Client        string // the name
	People        map[recipients.PersonID]recipients.Person
	Zone          *time.Location // the practice's; nil: none
	Entries       []Entry
}

// Explain tells the past of an appointment from what was kept, and its future
// from the rules.
func (f *Forecaster) Explain(ctx context.Context, appointmentID string) (Explanation, error) {
	h, err := f.Store.History(ctx, appointmentID)
	if err != nil {
		return Explanation{}, fmt.Errorf("appointment %s: %w", appointmentID, err)
	}
	if h.Snapshot == nil && len(h.Decisions) == 0 && len(h.Events) == 0 {
		return Explanation{}, fmt.Errorf("appointment %s: %w", appointmentID, ErrUnknown)
	}
	return explanationOf(h, f.Now()), nil
}

func explanationOf(h History, now time.Time) Explanation {
	e := Explanation{AppointmentID: h.AppointmentID, People: map[recipients.PersonID]recipients.Person{}}
	e.introduce(h)
	s := seer{now: now, reach: reachOf(h.Mark, now)}
	e.Entries = slices.Concat(past(h), s.told(h), s.ahead(h))
	for i := range e.Entries {
		e.Entries[i].name(h)
	}
	slices.SortStableFunc(e.Entries, func(a, b Entry) int { return a.At.Compare(b.At) })
	return e
}

func (e *Explanation) introduce(h History) {
	s := h.Snapshot
	if s == nil {
		return
	}
	if a := s.Appointment; a != nil {
		e.StartsAt, e.Status = a.StartsAt, string(a.Status)
	}
	e.Client = s.Client.Person().Name()
	e.Zone, _ = s.Zones.Load(s.Practice.TimeZone)
	maps.Copy(e.People, s.People())
}

// name gives the lines what only the snapshot knows.
func (e *Entry) name(h History) {
	for i := range e.Lines {
		e.Lines[i].RuleName = e.RuleName
		if h.Snapshot != nil {
			e.Lines[i].about(h.Snapshot)
		}
	}
}

// past is what was decided.
func past(h History) []Entry {
	entries := make([]Entry, 0, len(h.Decisions))
	for _, d := range h.Decisions {
		lines := linesOf(d.Decision, d.DecidedAt)
		for i := range lines {
			lines[i].becameOf(d.Messages)
		}
		e := entryOf(d.Decision, StateDecided)
		e.RuleName, e.Lines = d.RuleName, lines
		entries = append(entries, e)
	}
	return entries
}

func entryOf(d plan.Decision, state State) Entry {
	return Entry{
		At: d.DecidedAt, State: state, Kind: d.Kind, EventID: d.EventID, RuleID: d.RuleID,
		DecisionID: d.ID, StartsAt: d.StartsAt, Outcome: d.Outcome, Detail: d.Detail,
	}
}

// becameOf adds what the ledger says of the line's message.
func (l *Line) becameOf(messages []Message) {
	i := slices.IndexFunc(messages, func(m Message) bool {
		return l.Send && l.Channel == m.Channel && l.contactID() == m.ContactID
	})
	if i < 0 {
		return
	}
	m := messages[i]
	l.SendAt, l.Address, l.Status, l.SentAt = m.NotBefore, m.Address, m.Status, m.SentAt
	if m.Reason != "" {
		l.Reasons = append(l.Reasons, m.Reason)
	}
}

// same tells that both are known, and one: where there are no revisions, only
// ids tell events apart.
func same(a, b *int64) bool { return a != nil && b != nil && *a == *b }

// told is what the events say that made no decision of their own: those told
// again, and those that wait.
func (s seer) told(h History) []Entry {
	answered := map[kind.Kind]string{} // for this revision, by which decision
	for _, d := range h.Decisions {
		if once(d.Kind) && h.Snapshot != nil && d.EventID != "" && same(d.Revision, h.Snapshot.Appointment.Revision) {
			answered[d.Kind] = d.ID
		}
	}
	var entries []Entry
	for _, t := range h.Events {
		switch first, known := answered[t.Kind]; {
		case t.Planned && !answers(h, t):
			entries = append(entries, again(t, t.DecisionID))
		case t.Planned:
		case known && once(t.Kind):
			entries = append(entries, again(t, first))
		default:
			entries = append(entries, s.waiting(h, t))
			answered[t.Kind] = ""
		}
	}
	return entries
}

// once tells whether a second event of kind k at one revision tells nothing new.
func once(k kind.Kind) bool { return k.Sort() == kind.Event && k != kind.TelehealthLink }

// answers tells whether a decision was made for the event itself.
func answers(h History, t Told) bool {
	return slices.ContainsFunc(h.Decisions, func(d Decided) bool { return d.EventID == t.ID })
}

func again(t Told, decisionID string) Entry {
	return Entry{At: t.OccurredAt, State: StateAgain, Kind: t.Kind, EventID: t.ID, DecisionID: decisionID}
}

// waiting is what would be decided about an event if it were taken now.
func (s seer) waiting(h History, t Told) Entry {
	about, missing := h.Snapshot, "the appointment is not there yet"
	if t.Kind.Sort() == kind.Notice {
		about, missing = t.Snapshot, "the client is not there yet"
	}
	d, ok := plan.DecideEvent(t.Event, about, s.now)
	e := entryOf(d, StateWaiting)
	e.At = t.OccurredAt
	if d.Wait > 0 {
		e.Outcome, e.Detail = "", fmt.Sprintf("waits %s more for corrections", (about.Practice.Settle-t.Age).Round(time.Second))
		return e
	}
	if !ok {
		e.Outcome, e.Detail = "", missing
		return e
	}
	e.Lines = linesOf(d, s.now)
	return e
}

// ahead is what the rules will bring.
func (s seer) ahead(h History) []Entry {
	var entries []Entry
	for _, m := range h.Matters {
		lines := s.foresee(m)
		if len(lines) == 0 {
			continue
		}
		first := lines[0]
		for _, l := range lines {
			first.SendAt = earlier(first.SendAt, l.SendAt)
		}
		e := Entry{
			At: first.SendAt, State: StateAhead, Kind: first.Kind, RuleID: first.RuleID, RuleName: m.RuleName,
			StartsAt: first.StartsAt, Outcome: first.Outcome, Lines: lines,
		}
		if s.missed(m) {
			e.State = StateMissed
		}
		entries = append(entries, e)
	}
	return entries
}
