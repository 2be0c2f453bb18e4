package dev

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/recipients"
)

const (
	errPhone = mistake("That person has no phone that can be written from.")
	errWords = mistake("Write something first.")
)

// answer has somebody write from their phone.
func (p *Page) answer(ctx context.Context, r *http.Request) (string, error) {
	text := strings.TrimSpace(r.PostFormValue("text"))
	if text == "" {
		return "", errWords
	}
	name, from, to, err := p.numbers(ctx, r.PostFormValue("person"))
	if err != nil {
		return "", err
	}
	before := p.options.MainApp.lastReply()
	if err := p.options.Carrier.Bring(ctx, from, to, text); err != nil {
		return "", err
	}
	if !p.heard(ctx, before) {
		return name + "’s answer is with rappel; the main app has not heard of it yet.", nil
	}
	return name + "’s answer went in by the signed webhook, and rappel told the main app what it means.", nil
}

// numbers returns who somebody is, their number and the practice's.
func (p *Page) numbers(ctx context.Context, personID string) (name, from, to string, err error) {
	if !isUUID(personID) {
		return "", "", "", errPhone
	}
	var theirs, ours, country string
	err = p.db.QueryRow(ctx, `
		SELECT who.first_name, coalesce(who.phone, ''), coalesce(p.phone, ''), p.country
		FROM (SELECT id, practice_id, first_name, phone FROM rappel.contacts UNION ALL
			SELECT id, practice_id, coalesce(preferred_name, first_name), phone FROM rappel.clients) who
		JOIN rappel.practices p ON p.id = who.practice_id
		WHERE who.id = $1 AND p.id = $2`, personID, PracticeID).Scan(&name, &theirs, &ours, &country)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", "", errPhone
	}
	if err != nil {
		return "", "", "", fmt.Errorf("look up a phone: %w", err)
	}
	sender, senderErr := recipients.ParsePhone(theirs, country)
	practice, practiceErr := recipients.ParsePhone(ours, country)
	if errors.Join(senderErr, practiceErr) != nil {
		return "", "", "", errPhone
	}
	return name, sender.Reveal(), practice.Reveal(), nil
}

// heardWithin is how long the page waits for rappel to pass an answer on.
const heardWithin = 3 * time.Second

// heard waits until another reply than the last one before has come.
func (p *Page) heard(ctx context.Context, before string) bool {
	ctx, cancel := context.WithTimeout(ctx, heardWithin)
	defer cancel()
	for {
		changed := p.options.MainApp.Changed()
		if p.options.MainApp.lastReply() != before {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

// heed does what a main app does about a reply: what somebody confirmed is
// confirmed, and rappel is told so. The rest is for people to read, or rappel
// has seen to it.
func (p *Page) heed(ctx context.Context, r Reply) error {
	if r.Meaning != meansConfirm {
		return nil
	}
	err := p.desk.turn(ctx, r.AppointmentIDs[0], kind.Confirmed, schedule.StatusConfirmed, byTask)
	if errors.Is(err, errGone) {
		return nil // it was confirmed before, or is cancelled
	}
	return err
}
