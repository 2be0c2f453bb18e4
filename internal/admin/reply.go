package admin

import (
	"context"
	"time"

	"rappel/jobs/deliver"
	"rappel/jobs/reply"
)

// An inboundText is a reply as the main app reads it.
type inboundText struct {
	From           string        `json:"from"`
	Text           string        `json:"text"`
	ReceivedAt     time.Time     `json:"received_at"`
	Meaning        reply.Meaning `json:"meaning"`
	PracticeID     string        `json:"practice_id,omitempty"`
	NotificationID string        `json:"notification_id,omitempty"`
	AppointmentID  string        `json:"appointment_id,omitempty"`
	AppointmentIDs []string      `json:"appointment_ids,omitempty"` // where there are several
}

// PostReply hands a reply to the main app. Its id is the idempotency key. A main
// app without the endpoint, which answers 404, refuses it.
func (c *Client) PostReply(ctx context.Context, r reply.Reply) deliver.Answer {
	payload := inboundText{
		From: r.From.Reveal(), Text: r.Text.Reveal(), ReceivedAt: r.ReceivedAt.UTC(), Meaning: r.Meaning,
		PracticeID: r.PracticeID, NotificationID: r.NotificationID,
	}
	if r.Meaning == reply.Help && !c.Offers(FeatureHelp) {
		payload.Meaning = reply.Other
	}
	if len(r.AppointmentIDs) == 1 {
		payload.AppointmentID = r.AppointmentIDs[0]
	} else {
		payload.AppointmentIDs = r.AppointmentIDs
	}
	return c.post(ctx, "replies", r.ID, payload)
}
