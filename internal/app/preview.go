package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rappel/internal/kind"
	"rappel/internal/postgres"
	"rappel/internal/practice"
	"rappel/recipients"
	"rappel/templates"
)

// A PreviewRequest says which text is to be seen, and by whose eyes. Without an
// appointment a made-up person reads it.
type PreviewRequest struct {
	Template, Channel string
	AppointmentID     string
	RecipientID       string            // a client or a contact of the appointment; empty: the client
	AsContact         bool              // the made-up person is a contact, not the client
	Data              map[string]string // of a notice
}

// NoticeData reads the data of a notice as that of an event is read. It is false
// where that is no JSON object.
func NoticeData(text string) (map[string]string, bool) { return postgres.DataTexts([]byte(text)) }

// A Preview is a text as it would go out. Size is that of an SMS.
type Preview struct {
	templates.Message

	Size templates.Size
}

// Preview renders a text, and sends nothing.
func (a *App) Preview(ctx context.Context, r PreviewRequest) (Preview, error) {
	reader, err := a.reader(ctx, r)
	if err != nil {
		return Preview{}, err
	}
	texts, err := a.store.TextsFor(ctx, r.Template, reader.practiceID)
	if err != nil {
		return Preview{}, err
	}
	source, ok := templates.Choose(texts, r.Template, r.Channel, reader.audience, reader.locales)
	if !ok {
		return Preview{}, fmt.Errorf("there is no template %q for %s that this reader would get", r.Template, r.Channel)
	}
	compiled, err := source.Compile()
	if err != nil {
		return Preview{}, fmt.Errorf("template %q: %w", r.Template, err)
	}
	m, err := compiled.Render(reader.facts.Values(source.Locale))
	if err != nil {
		return Preview{}, fmt.Errorf("template %q: %w", r.Template, err)
	}
	p := Preview{Message: m}
	if r.Channel == templates.SMS {
		p.Size = templates.Measure(m.Text)
	}
	return p, nil
}

// A reader is by whose eyes a text is seen.
type reader struct {
	practiceID, audience string
	locales              []string
	facts                templates.Facts
}

func (a *App) reader(ctx context.Context, r PreviewRequest) (reader, error) {
	if r.AppointmentID == "" {
		return madeUp(r), nil
	}
	s, err := a.store.Snapshot(ctx, r.AppointmentID)
	if err != nil {
		return reader{}, err
	}
	if s == nil {
		return reader{}, fmt.Errorf("there is no appointment %s, or no client or practice of it", r.AppointmentID)
	}
	c, ok := candidate(s, r.RecipientID)
	if !ok {
		return reader{}, fmt.Errorf("%s is neither the client of appointment %s nor a contact of theirs", r.RecipientID, r.AppointmentID)
	}
	facts := s.Facts(c.Person, r.Data)
	facts.Visits = []templates.Facts{facts} // for the text that lists a family's
	return reader{
		practiceID: s.Practice.ID, audience: string(c.Recipient),
		locales: s.Locales(c.Person), facts: facts,
	}, nil
}

// madeUp is the sample client, or a contact of theirs.
func madeUp(r PreviewRequest) reader {
	facts := templates.Sample()
	maps.Copy(facts.Data, r.Data)
	made := reader{audience: templates.ForContact, locales: templates.Locales("", "")}
	if !r.AsContact {
		made.audience = templates.ForClient
		facts.Recipient, facts.Relationship = facts.Client, ""
	}
	made.facts = facts
	return made
}

// candidate finds a person around an appointment; empty: its client.
func candidate(s *practice.Snapshot, id string) (recipients.Candidate, bool) {
	for _, c := range s.Recipients(kind.Reminder, "", nil, nil).Candidates {
		if c.ID == id || (id == "" && c.Recipient == recipients.RoleClient) {
			return c, true
		}
	}
	return recipients.Candidate{}, false
}

// Lint looks at every active text, and at whether every active rule names one
// that people can be written to with on both channels.
func (a *App) Lint(ctx context.Context) ([]templates.Finding, error) {
	var all []templates.Finding
	of := map[string][]templates.Source{} // by practice, without what people read
	err := a.store.EachText(ctx, 0, func(t templates.Source) {
		found := templates.Lint(t)
		t.Subject, t.Body = "", ""
		for _, f := range found {
			f.Source = t
			all = append(all, f)
		}
		of[t.PracticeID] = append(of[t.PracticeID], t)
	})
	if err != nil {
		return nil, err
	}
	used, err := a.store.Usages(ctx)
	if err != nil {
		return nil, err
	}
	for _, u := range used {
		if err := templates.Missing(slices.Concat(of[""], of[u.PracticeID]), u.Template, u.Locale); err != nil {
			all = append(all, templates.Finding{
				Source: templates.Source{PracticeID: u.PracticeID, Name: u.Template}, Wrong: true,
				Message: fmt.Sprintf("rule %s cannot write to everybody: %s", u.RuleID, strings.ReplaceAll(err.Error(), "\n", ", ")),
			})
		}
	}
	return all, nil
}
