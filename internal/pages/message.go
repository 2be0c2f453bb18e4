package pages

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"rappel/internal/lookup"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// A storyView is the page of one message.
type storyView struct {
	ID, AppointmentID, Kind, Channel string
	Chip                             chip
	Words                            string // what the status means
	Why                              *cause
	Zone                             string
	Facts                            []fact
	To                               personView
	Address                          string
	Forgotten                        bool // the address is past its term
	Held                             bool // the text is still there
	Subject, Text                    string
	Steps                            []step
}

// A fact is a name and what it stands for.
type fact struct {
	Name, Value, Link string
	At                moment
}

// A personView is a person as a page names them.
type personView struct {
	Role, Name, Relationship, ID string
	Unknown                      bool // not there any more
}

// A step is one thing that happened to a message, or will.
type step struct {
	At         moment
	Heading    string
	Text       string
	Tone       string
	Mark       string
	Candidates []candidateView
	Quote      string // what somebody wrote
	Hidden     bool   // it is there, and covered

	at time.Time
}

// A candidateView is somebody who was considered.
type candidateView struct {
	Person  personView
	Channel string
	Send    bool
	This    bool // the message is to them
	Address string
	Status  *chip
	Causes  []cause
	Note    string
}

func (p *Pages) message(ctx context.Context, r *request) (view, error) {
	id, err := idOf(r)
	if err != nil {
		return view{}, err
	}
	s, err := p.Ledger.Story(ctx, id)
	if errors.Is(err, lookup.ErrUnknown) {
		return view{}, missingError{What: "message", ID: id}
	}
	if err != nil {
		return view{}, err
	}
	r.veil.over("message", id)
	t := storyteller{s: &s, veil: r.veil, zone: p.zoneOf(ctx, s.PracticeID), now: p.Now()}
	return view{Name: "message", Title: "Message " + short(id), Here: "messages", Data: t.view()}, nil
}

// A storyteller turns what is known of a message into words.
type storyteller struct {
	s    *lookup.Story
	veil *veil
	zone *time.Location
	now  time.Time
}

func (t storyteller) view() *storyView {
	s := t.s
	v := &storyView{
		ID: s.ID, AppointmentID: s.AppointmentID, Kind: kindName(s.Kind), Channel: channelName(s.Channel),
		Chip: chipOf(s.Status), Words: became(s.Status), Zone: t.zone.String(),
		Address: t.veil.address(s.Address), Forgotten: s.Address == recipients.Address{},
		Held: s.Text != "", Subject: t.veil.text(s.Subject), Text: t.veil.text(s.Text),
		Steps: t.steps(), Facts: t.facts(),
	}
	if s.Reason != "" {
		v.Why = &cause{string(s.Reason), why(s.Reason)}
	}
	v.To = personOf(t.veil, s.People, s.Recipient())
	return v
}

// personOf names somebody around a message.
func personOf(v *veil, people map[recipients.PersonID]recipients.Person, who recipients.PersonID) personView {
	person, ok := people[who]
	view := personView{Role: string(who.Role), ID: who.ID, Name: v.name(person), Unknown: !ok}
	if v.lifted {
		view.Relationship = person.Relationship
	}
	return view
}

func (t storyteller) facts() []fact {
	s := t.s
	all := []fact{
		{Name: "Appointment", Value: s.AppointmentID, Link: "/appointments/" + s.AppointmentID},
		{Name: "Starts", At: when(s.StartsAt, t.zone)},
		{Name: "Client", Value: s.ClientID, Link: "/messages?id=" + s.ClientID},
		{Name: "Contact", Value: s.ContactID, Link: "/messages?id=" + s.ContactID},
		{Name: "Practice", Value: s.PracticeID},
		{Name: "Rule", Value: cmp.Or(s.RuleName, s.RuleID)},
		{Name: "Text", Value: s.Template, Link: textLink(s.Template)},
		{Name: "Not before", At: when(s.NotBefore, t.zone)},
		{Name: "Of use until", At: when(s.NotAfter, t.zone)},
		{Name: "Way out", Value: s.Via},
		{Name: "The receiver’s id", Value: s.MessageID},
		{Name: "Error code", Value: s.ErrorCode},
	}
	for _, id := range s.Family {
		all = append(all, fact{Name: "In one message with", Value: id, Link: "/messages/" + id})
	}
	if s.Segments > 0 {
		all = append(all, fact{Name: "Size", Value: plural(s.Segments, "segment")})
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" && f.At == moment{} })
}

// steps are what happened, in the order of time, and what will.
func (t storyteller) steps() []step {
	all := slices.Concat(t.told(), t.decided(), t.went(), t.heard(), t.answered())
	slices.SortStableFunc(all, func(a, b step) int { return a.at.Compare(b.at) })
	all = append(all, t.open()...)
	for i := range all {
		all[i].At = written(all[i].at, t.zone, "Mon 2 Jan 2006, 15:04:05")
	}
	return all
}

func (t storyteller) told() []step {
	s := t.s
	switch {
	case s.Event != nil:
		return []step{{at: s.Event.OccurredAt, Heading: "The main app told of it", Mark: "→", Tone: "open", Text: "Event " + s.EventID + ", " + string(s.Kind) + "."}}
	case s.EventID != "":
		return []step{{at: s.Decision.At, Heading: "The main app told of it", Mark: "→", Tone: "open", Text: "Event " + s.EventID + ", which is past its term: when it was told is not known any more."}}
	}
	return nil
}

func (t storyteller) decided() []step {
	d, text := t.s.Decision, t.s.Decision.Detail
	if t.s.RuleID != "" {
		text = "The rule " + cmp.Or(t.s.RuleName, t.s.RuleID) + " fell due. " + text
	}
	st := step{at: d.At, Heading: "Decided: " + outcome(d.Outcome), Text: strings.TrimSpace(text), Mark: "→", Tone: "open"}
	for _, c := range d.Candidates {
		st.Candidates = append(st.Candidates, candidateView{
			Person: personOf(t.veil, t.s.People, c.Who()), Channel: channelName(c.Channel), Send: c.Send,
			This: c.Send && c.Who() == t.s.Recipient() && c.Channel == t.s.Channel, Causes: causes(c.Reasons),
		})
	}
	return []step{st}
}

// went are the attempts: those that ended in something else than sent, from the
// history, and the one that did.
func (t storyteller) went() []step {
	s := t.s
	var all []step
	for _, e := range s.History {
		if e.Told {
			continue
		}
		all = append(all, t.attempt(e))
	}
	if !s.SentAt.IsZero() && s.Status != string(deliver.Unknown) {
		text := "The receiver took it"
		if s.Via != "" {
			text += ", by " + s.Via
		}
		if s.Attempts > 1 {
			text += ", at the " + ordinal(s.Attempts) + " attempt"
		}
		all = append(all, step{at: s.SentAt, Heading: "Sent", Mark: "✓", Tone: "good", Text: text + "."})
	}
	if !s.RepeatedAt.IsZero() {
		all = append(all, step{at: s.RepeatedAt, Heading: "Sent once more", Mark: "?", Tone: "warn", Text: "The first may have arrived too: the person may have it twice."})
	}
	return all
}

func (t storyteller) attempt(e lookup.Entry) step {
	st := step{at: e.At, Heading: "Attempt: " + cmp.Or(e.Status, "no answer"), Mark: "!", Tone: "bad", Text: e.Problem}
	if e.Replay {
		st.Heading, st.Mark, st.Tone = "Replayed", "→", "open"
		st.Text = strings.TrimSpace("Somebody had it sent again with rappel replay. " + e.Problem)
		return st
	}
	if e.Status == string(deliver.Pending) {
		st.Heading, st.Mark, st.Tone = "Attempt failed; it is tried again", "…", "warn"
	}
	if e.Code != "" {
		st.Text = strings.TrimSpace(st.Text + " (code " + e.Code + ")")
	}
	return st
}

// heard are the receipts.
func (t storyteller) heard() []step {
	s := t.s
	var all []step
	arrived := false
	for _, e := range s.History {
		if !e.Told {
			continue
		}
		arrived = arrived || e.Status == string(deliver.Delivered)
		st := step{at: e.At, Heading: "Receipt: " + e.Status, Mark: mark(e.Status), Tone: tone(e.Status)}
		if e.Via != "" {
			st.Text = "Told by " + e.Via + "."
		}
		if e.Code != "" {
			st.Text = strings.TrimSpace(st.Text + " Code " + e.Code + ".")
		}
		all = append(all, st)
	}
	if !s.DeliveredAt.IsZero() && !arrived {
		all = append(all, step{at: s.DeliveredAt, Heading: "Receipt: delivered", Mark: "✓", Tone: "good"})
	}
	return all
}

func (t storyteller) answered() []step {
	var all []step
	for _, r := range t.s.Replies {
		st := step{at: r.ReceivedAt, Heading: "Reply: " + replyMeaning(r.Meaning), Mark: "←", Tone: "open", Quote: t.veil.text(r.Text)}
		st.Hidden = r.Text != "" && !t.veil.lifted
		switch r.Outcome {
		case "posted":
			st.Text = "The main app has it; its words are not kept here."
		case "dropped":
			st.Text = "The main app would not have it."
		case "expired":
			st.Text = "The main app could not be reached for a day."
		default:
			st.Text = "The main app does not have it yet."
		}
		all = append(all, st)
	}
	return all
}

func replyMeaning(m string) string {
	switch m {
	case "confirm":
		return "confirms the appointment"
	case "opt_out":
		return "wants no more messages"
	case "opt_in":
		return "wants messages again"
	case "help":
		return "asks for help"
	}
	return "something for staff to read"
}

// open is what is still to come, or how it ended without being sent.
func (t storyteller) open() []step {
	s := t.s
	switch deliver.Status(s.Status) {
	case deliver.Pending:
		text := "It goes out as soon as it is its turn."
		if s.NotBefore.After(t.now) {
			text = "Until then it waits. Just before it goes, everything is looked at once more."
		}
		return []step{{at: s.NotBefore, Heading: "Waits to be sent", Mark: "…", Tone: "open", Text: text}}
	case deliver.Sending:
		return []step{{at: s.HeldUntil, Heading: "Being sent", Mark: "…", Tone: "open", Text: "A worker has it in hand until then; should it die, another takes over."}}
	case deliver.Suppressed, deliver.Expired, deliver.Failed:
		text := capital(became(s.Status))
		if s.Reason != "" {
			text += ": " + why(s.Reason) + " (" + string(s.Reason) + ")"
		}
		return []step{{Heading: "Ended: " + s.Status, Mark: mark(s.Status), Tone: tone(s.Status), Text: text + "."}}
	case deliver.Unknown:
		text := "It is not sent again: twice would be worse than a late receipt."
		if !s.RepeatAt.IsZero() {
			text = "It is sent once more, unless a receipt comes first."
		}
		return []step{{at: s.RepeatAt, Heading: "Not known whether it arrived", Mark: "?", Tone: "warn", Text: text}}
	case deliver.Sent, deliver.Delivered, deliver.Undelivered:
	}
	return nil
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return number(n) + suffix
}
