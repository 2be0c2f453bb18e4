package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/zoneinfo"
	"rappel/templates"
)

// What the designs beside rappel have in common: what they read of an event,
// what they write of it, and how they send it.

// visitColumns are what a message about a visit needs, from events e.
const visitColumns = `e.id::text, a.id::text, c.id::text, p.id::text, c.first_name, c.last_name, c.phone,
	p.name, coalesce(p.phone, ''), p.time_zone, coalesce(d.name, ''), coalesce(a.location_name, ''), coalesce(a.location_address, ''),
	coalesce(a.manage_url, ''), a.starts_at, a.ends_at`

const visitTables = `
	JOIN rappel.appointments a ON a.id = e.appointment_id
	JOIN rappel.clients c ON c.id = a.client_id
	JOIN rappel.practices p ON p.id = a.practice_id
	LEFT JOIN rappel.practitioners d ON d.id = a.practitioner_id`

// An sms is a message as the endpoint wants it.
type sms struct {
	NotificationID string  `json:"notification_id"`
	PracticeID     string  `json:"practice_id"`
	ClientID       string  `json:"client_id"`
	ContactID      *string `json:"contact_id"`
	AppointmentID  string  `json:"appointment_id"`
	Kind           string  `json:"kind"`
	To             string  `json:"to"`
	Body           string  `json:"body"`
}

const bookedKind = "appointment.booked"

// A writer turns rows into messages. Like rappel it has the text compiled and
// the zones loaded.
type writer struct {
	text   templates.Source
	ready  *templates.Compiled
	zoneOf map[string]*time.Location
}

func newWriter() (*writer, error) {
	text, ok := templates.Choose(nil, bookedKind, templates.SMS, templates.ForClient, []string{"en"})
	if !ok {
		return nil, fmt.Errorf("there is no built-in text of %s", bookedKind)
	}
	ready, err := text.Compile()
	if err != nil {
		return nil, err
	}
	w := &writer{text: text, ready: ready, zoneOf: map[string]*time.Location{}}
	data := zoneinfo.Embedded()
	for _, name := range zones() {
		if w.zoneOf[name], ok = data.Load(name); !ok {
			return nil, fmt.Errorf("there is no time zone %s", name)
		}
	}
	return w, nil
}

// read reads the row of visitColumns into a message whose key is the event's
// id: one event makes one message here.
func (w *writer) read(row pgx.CollectableRow) (sms, error) {
	var (
		m    = sms{Kind: bookedKind}
		f    templates.Facts
		zone string
	)
	err := row.Scan(&m.NotificationID, &m.AppointmentID, &m.ClientID, &m.PracticeID, &f.Client.First, &f.Client.Last, &m.To,
		&f.Practice.Name, &f.Practice.Phone, &zone, &f.PractitionerName, &f.LocationName, &f.LocationAddress,
		&f.ManageLink, &f.StartsAt, &f.EndsAt)
	if err != nil {
		return m, err
	}
	f.Recipient, f.VisitZone, f.PracticeZone = f.Client, w.zoneOf[zone], w.zoneOf[zone]
	rendered, err := w.ready.Render(f.Values(w.text.Locale))
	m.Body = rendered.Text
	return m, err
}

// A poster posts messages through net/http.
type poster struct {
	base, token string
	client      *http.Client
}

func newPoster(o PartOptions) poster {
	return poster{
		base: o.AdminURL + "/messages/", token: o.AdminToken,
		client: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: o.InFlight, IdleConnTimeout: time.Minute},
		},
	}
}

// post sends one message and returns the receiver's id of it.
func (p poster) post(ctx context.Context, m sms) (string, error) {
	answer, err := p.ask(ctx, "sms", m.NotificationID, m, http.StatusAccepted)
	if err != nil {
		return "", err
	}
	var accepted struct {
		MessageID string `json:"message_id"`
	}
	err = json.Unmarshal(answer, &accepted)
	return accepted.MessageID, err
}

// postAll sends several messages in one request, and returns the receiver's id
// of each.
func (p poster) postAll(ctx context.Context, messages []sms) ([]result, error) {
	type item struct {
		Channel string `json:"channel"`
		sms
	}
	items := make([]item, len(messages))
	for i, m := range messages {
		items[i] = item{"sms", m}
	}
	raw, err := p.ask(ctx, "batch", "", map[string][]item{"messages": items}, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var answer batchAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	all := make([]result, 0, len(messages))
	for _, r := range answer.Results {
		if r.Status != http.StatusAccepted {
			return nil, fmt.Errorf("the endpoint answered %d to one of a batch", r.Status)
		}
		all = append(all, result{r.NotificationID, r.MessageID})
	}
	return all, nil
}

// ask posts a payload, under a key if there is one, and returns the answer.
func (p poster) ask(ctx context.Context, path, key string, payload any, want int) ([]byte, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("the endpoint answered %d", res.StatusCode)
	}
	return answer, err
}
