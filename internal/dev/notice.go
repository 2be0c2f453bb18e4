package dev

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
)

// A notice is an event beside appointments, to be written.
type notice struct {
	Kind                kind.Kind
	ClientID, ContactID string // of whom it is, and who is addressed; no contact: the client
	Data                map[string]string
}

const errAddressee = mistake("Choose whom the message is for.")

// notify writes the event of a notice, as a main app does when it has invited,
// sent or shared something.
func (d *desk) notify(ctx context.Context, n notice) error {
	data, err := json.Marshal(n.Data)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Kind, err)
	}
	var contact *string
	if n.ContactID != "" {
		contact = &n.ContactID
	}
	err = pgx.BeginFunc(ctx, d.db, func(tx pgx.Tx) error {
		id, err := changed(ctx, tx, `
			INSERT INTO rappel.events (kind, client_id, contact_id, data, occurred_at)
			SELECT $1, c.id, $3, $4, $5 FROM rappel.clients c WHERE c.id = $2 AND c.practice_id = $6
			RETURNING id::text`, string(n.Kind), n.ClientID, contact, string(data), d.now(), PracticeID)
		if err == nil {
			d.note(id, byRow)
		}
		return err
	})
	if errors.Is(err, errGone) {
		return errAddressee
	}
	if err != nil {
		return fmt.Errorf("%s: %w", n.Kind, err)
	}
	return nil
}

const (
	portal    = "https://harborlane.example.com/portal"
	forms     = "https://harborlane.example.com/forms/"
	payWithin = 14 // days
	separator = "/"
)

// sampleData is what a main app would say of a notice.
func sampleData(k kind.Kind, now time.Time) map[string]string {
	switch k {
	case kind.FormSent:
		return map[string]string{"form_name": "Intake form", "form_link": forms + "intake"}
	case kind.FormSignatureRequested:
		return map[string]string{"form_name": "Consent to treatment", "form_link": forms + "consent"}
	case kind.DocumentShared:
		return map[string]string{"document_name": "Visit summary", "portal_link": portal}
	case kind.InvoiceIssued:
		return map[string]string{
			"invoice_number": "2041", "invoice_amount": "$120.00", "invoice_due": now.AddDate(0, 0, payWithin).Format(time.DateOnly),
			"portal_link": portal,
		}
	default:
		return map[string]string{"portal_link": portal}
	}
}

// toOne are the notices to the person addressed alone.
func toOne() []kind.Kind {
	return []kind.Kind{kind.PortalInvited, kind.PortalMessage, kind.FormSent, kind.FormSignatureRequested}
}

// toAll are the notices about a client to whoever may see them.
func toAll() []kind.Kind {
	return []kind.Kind{kind.DocumentShared, kind.InvoiceIssued, kind.EstimateIssued}
}

// send tells of what a button sends, to whom the form says: a client, or a
// client and a contact.
func (p *Page) send(ctx context.Context, r *http.Request) (string, error) {
	k := kind.Kind(r.PostFormValue("kind"))
	alone := slices.Contains(toOne(), k)
	if !alone && !slices.Contains(toAll(), k) {
		return "", errButton
	}
	client, contact, _ := strings.Cut(r.PostFormValue("whom"), separator)
	if !isUUID(client) || (contact != "" && !isUUID(contact)) {
		return "", errAddressee
	}
	if !alone {
		contact = ""
	}
	err := p.desk.notify(ctx, notice{k, client, contact, sampleData(k, p.options.Clock.Now())})
	return whatHappened(k) + ": told rappel by a row in rappel.events. Who hears of it, and who does not, stands under “Who was told”.", err
}

// A noticeForm offers the notices.
type noticeForm struct {
	Clients      []addresseeGroup
	First        string // who is proposed: somebody who may use the portal
	ToOne, ToAll []noticeButton
}

// An addresseeGroup is a client and who may be written to about them.
type addresseeGroup struct {
	Name   string
	People []choice
}

type noticeButton struct{ Kind, Name string }

func (v *viewer) notices() noticeForm {
	form := noticeForm{ToOne: buttons(toOne()), ToAll: buttons(toAll())}
	for _, c := range v.Clients {
		group := addresseeGroup{c.Name, []choice{{c.ID, firstName(c.Name) + ", client"}}}
		for _, l := range v.Links {
			if contact, ok := byID(v.Contacts, l.ContactID); ok && l.ClientID == c.ID {
				id := c.ID + separator + contact.ID
				group.People = append(group.People, choice{id, firstName(contact.Name) + ", " + l.Relationship + " of " + firstName(c.Name)})
				if l.Portal && form.First == "" {
					form.First = id
				}
			}
		}
		form.Clients = append(form.Clients, group)
	}
	return form
}

func buttons(kinds []kind.Kind) []noticeButton {
	all := make([]noticeButton, len(kinds))
	for i, k := range kinds {
		all[i] = noticeButton{string(k), whatHappened(k)}
	}
	return all
}
