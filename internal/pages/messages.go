package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"rappel/internal/kind"
	"rappel/internal/lookup"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// pageful is how many messages one page lists.
const pageful = 50

// A searchView is the page on which messages are searched for.
type searchView struct {
	Form     searchForm
	Zone     string
	Asked    string // what was searched for, in words
	By       string // "id", "address" or "day"
	Day      string // that it was narrowed to; empty: none
	Rows     []messageRow
	Older    string     // link; empty: there are no more, or the page is asked for by a form
	OlderTo  *olderForm // the same for a search by address
	Statuses []choice
	Reasons  []choice
	Kinds    []choice
	Channels []choice
}

// A searchForm is what the fields of the form hold.
type searchForm struct {
	ID, Day, Status, Reason, Kind, Channel string
	Address                                string // only ever in the body of a request
}

// An olderForm asks for the next page of a search by address.
type olderForm struct{ Address, Day, After string }

// A choice is an option of a field.
type choice struct {
	Value, Words string
	Chosen       bool
}

// A messageRow is one message in a list.
type messageRow struct {
	ID, AppointmentID string
	At                moment
	Kind, Channel, To string
	Chip              chip
	Why               cause
}

// messages searches by what may stand in a URL.
func (p *Pages) messages(ctx context.Context, r *request) (view, error) {
	q := r.URL.Query()
	f := searchForm{
		ID: strings.TrimSpace(q.Get("id")), Day: q.Get("day"), Status: q.Get("status"),
		Reason: q.Get("reason"), Kind: q.Get("kind"), Channel: q.Get("channel"),
	}
	zone, asked := p.zoneOf(ctx, ""), f
	if f.ID == "" && f.Day == "" {
		f.Day = p.Now().In(zone).Format(dateForm)
	}
	s, err := f.search(zone)
	if err == nil {
		s.After, err = placeOf(q.Get("after"))
	}
	if err != nil {
		return view{}, err
	}
	v := f.view(zone)
	v.Form = asked // a day that nobody asked for would narrow the next search
	older, err := p.find(ctx, v, s, zone)
	if err != nil {
		return view{}, err
	}
	if older != "" {
		v.Older = "/messages?" + f.query(older).Encode()
	}
	return view{Name: "messages", Title: "Messages", Here: "messages", Data: v}, nil
}

// messagesTo searches by an address, which must stand in no URL.
func (p *Pages) messagesTo(ctx context.Context, r *request) (view, error) {
	if err := r.ParseForm(); err != nil {
		return view{}, err
	}
	f := searchForm{Address: strings.TrimSpace(r.PostForm.Get("address")), Day: r.PostForm.Get("day")}
	zone := p.zoneOf(ctx, "")
	s, err := f.search(zone)
	if err == nil {
		s.After, err = placeOf(r.PostForm.Get("after"))
	}
	if err == nil {
		s.To, err = p.addresses(ctx, f.Address)
	}
	if err != nil {
		return view{}, err
	}
	v := f.view(zone)
	older, err := p.find(ctx, v, s, zone)
	if err != nil {
		return view{}, err
	}
	if older != "" {
		v.OlderTo = &olderForm{f.Address, f.Day, older}
	}
	p.Log.InfoContext(ctx, "messages were searched for by an address", "found", len(v.Rows), "remote", remote(r.Request))
	return view{Name: "messages", Title: "Messages", Here: "messages", Data: v}, nil
}

// find lists a page of what is searched for, and returns where the next begins.
func (p *Pages) find(ctx context.Context, v *searchView, s lookup.Search, zone *time.Location) (older string, err error) {
	s.AtMost = pageful + 1
	found, err := p.Ledger.Search(ctx, s)
	if err != nil {
		return "", err
	}
	if len(found) > pageful {
		found = found[:pageful]
		last := found[pageful-1]
		older = last.CreatedAt.UTC().Format(time.RFC3339Nano) + "_" + last.ID
	}
	veil := veil{}
	for _, m := range found {
		row := messageRow{
			ID: m.ID, AppointmentID: m.AppointmentID, At: when(m.CreatedAt, zone), Kind: kindName(m.Kind),
			Channel: channelName(m.Channel), To: cmp.Or(veil.address(m.Address), "forgotten"), Chip: chipOf(m.Status),
		}
		if m.Reason != "" {
			row.Why = cause{string(m.Reason), why(m.Reason)}
		}
		v.Rows = append(v.Rows, row)
	}
	return older, nil
}

// search is what a form asks for.
func (f searchForm) search(zone *time.Location) (s lookup.Search, err error) {
	s = lookup.Search{
		ID: f.ID, Status: f.Status, Reason: recipients.Reason(f.Reason),
		Kind: kind.Kind(f.Kind), Channel: recipients.Channel(f.Channel),
	}
	if f.ID != "" && uuid.Validate(f.ID) != nil {
		return s, mistakeError("“" + f.ID + "” is not an id. Search by the UUID of a message, an appointment, a client or a contact, or by an address in its own field.")
	}
	for _, c := range []struct {
		what, value string
		ok          bool
	}{
		{"status", f.Status, known(deliver.Statuses(), deliver.Status(f.Status))},
		{"reason", f.Reason, known(recipients.Reasons(), s.Reason)},
		{"kind", f.Kind, known(kind.All(), s.Kind)},
		{"channel", f.Channel, known(channels(), s.Channel)},
	} {
		if !c.ok {
			return s, mistakeError("There is no " + c.what + " “" + c.value + "”.")
		}
	}
	if f.Day != "" {
		s.From, s.Until, err = dayOf(f.Day, zone)
	}
	return s, err
}

func (f searchForm) query(after string) url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"id": f.ID, "day": f.Day, "status": f.Status, "reason": f.Reason, "kind": f.Kind, "channel": f.Channel, "after": after,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// placeOf reads where a page begins.
func placeOf(s string) (lookup.Place, error) {
	if s == "" {
		return lookup.Place{}, nil
	}
	at, id, _ := strings.Cut(s, "_")
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || uuid.Validate(id) != nil {
		return lookup.Place{}, mistakeError("The link to older messages is not whole. Search again.")
	}
	return lookup.Place{CreatedAt: t, ID: id}, nil
}

const mostAddress = 320 // RFC 5321: 64 + 1 + 255

// addresses are those that somebody may mean: a number without a prefix is one
// of any country in which there is a practice.
func (p *Pages) addresses(ctx context.Context, raw string) ([]recipients.Address, error) {
	if raw == "" || len(raw) > mostAddress {
		return nil, mistakeError("Write an e-mail address or a phone number.")
	}
	if strings.Contains(raw, "@") {
		if a, err := recipients.ParseEmail(raw); err == nil {
			return []recipients.Address{a}, nil
		}
		return nil, mistakeError("That is not an e-mail address that can be written to.")
	}
	countries, err := p.Ledger.Countries(ctx)
	if err != nil {
		return nil, fmt.Errorf("the countries of the practices: %w", err)
	}
	var all []recipients.Address
	for _, c := range countries {
		if a, err := recipients.ParsePhone(raw, c); err == nil {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, mistakeError("That is not a phone number that can be written to. Write it with its country, such as +1 201 555 0123.")
	}
	return all, nil
}

// view is the form again, with what it held.
func (f searchForm) view(zone *time.Location) *searchView {
	v := &searchView{Form: f, Day: f.Day, Zone: zone.String()}
	for _, s := range deliver.Statuses() {
		v.Statuses = append(v.Statuses, choice{string(s), capital(string(s)), string(s) == f.Status})
	}
	for _, r := range recipients.Reasons() {
		v.Reasons = append(v.Reasons, choice{string(r), capital(why(r)), string(r) == f.Reason})
	}
	for _, k := range kind.All() {
		v.Kinds = append(v.Kinds, choice{string(k), kindName(k), string(k) == f.Kind})
	}
	for _, c := range channels() {
		v.Channels = append(v.Channels, choice{string(c), capital(channelName(c)), string(c) == f.Channel})
	}
	switch {
	case f.Address != "":
		v.By = "address"
	case f.ID != "":
		v.By = "id"
	default:
		v.By = "day"
	}
	return v
}
