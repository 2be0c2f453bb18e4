package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"rappel/internal/admin"
	"rappel/internal/sendgrid"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
)

// Where others tell what became of messages, and what people answered.
const (
	twilioStatus   = "/webhooks/twilio/status"
	twilioInbound  = "/webhooks/twilio/inbound"
	sendGridEvents = "/webhooks/sendgrid/events"
	adminStatus    = "/webhooks/admin/status"
)

// hooks are the paths of all webhooks.
func hooks() []string { return []string{twilioStatus, twilioInbound, sendGridEvents, adminStatus} }

// hookName is the name of a webhook in metrics and logs: twilio_status.
func hookName(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "/webhooks/"), "/", "_")
}

// public is the URL under which others reach a path of the ops server.
func (a *App) public(path string) string { return strings.TrimRight(a.cfg.PublicURL, "/") + path }

// webhooks returns the handlers by path. Each believes only what is signed with
// its secret; without one it believes nothing.
func (a *App) webhooks() map[string]http.Handler {
	token := a.cfg.Twilio.AuthToken.Reveal()
	all := map[string]http.Handler{
		twilioStatus: twilio.StatusHandler(twilio.Webhook{AuthToken: token, PublicURL: a.public(twilioStatus)},
			func(ctx context.Context, s twilio.Status) error {
				_, err := a.settle(ctx, s.Receipt(a.now()))
				return err
			}),
		twilioInbound:  twilio.InboundHandler(twilio.Webhook{AuthToken: token, PublicURL: a.public(twilioInbound)}, a.keeper().Receive),
		sendGridEvents: sendgrid.EventsHandler(sendgrid.Webhook{Key: a.sendGridKey, Now: a.now}, a.settleEvents),
		adminStatus: admin.StatusHandler(a.cfg.AdminToken.Reveal(), a.now,
			func(ctx context.Context, r deliver.Receipt) (bool, error) {
				known, err := a.settle(ctx, r)
				return known > 0, err
			}),
	}
	for path, handler := range all {
		all[path] = a.watchWebhook(hookName(path), handler)
	}
	return all
}

func (a *App) settleEvents(ctx context.Context, events []sendgrid.Event) error {
	receipts := make([]deliver.Receipt, len(events))
	for i, e := range events {
		receipts[i] = e.Receipt(a.now())
	}
	_, err := a.settle(ctx, receipts...)
	return err
}

// settle keeps receipts of our own messages: an account may send others too.
func (a *App) settle(ctx context.Context, receipts ...deliver.Receipt) (known int, err error) {
	var ours []deliver.Receipt
	for _, r := range receipts {
		if r.NotificationID != "" && (r.Status != "" || r.Silence != "" || r.Resumes) {
			ours = append(ours, r)
		}
	}
	known, err = a.store.Settle(ctx, ours)
	for _, r := range ours {
		level := slog.LevelInfo
		if err != nil || twilio.IsAccountCode(r.ErrorCode) {
			level = slog.LevelWarn
		}
		a.log.Log(ctx, level, "receipt", "notification", r.NotificationID, "status", r.Status, "code", r.ErrorCode,
			"about_address", r.Silence, "source", r.Source, "error", err)
		if err == nil {
			a.metrics.receipt(r)
		}
	}
	return known, err
}

// openWebhooks reads the key that SendGrid signs with.
func (a *App) openWebhooks() error {
	if a.cfg.SendGrid.WebhookPublicKey == "" {
		return nil
	}
	key, err := sendgrid.ParsePublicKey(a.cfg.SendGrid.WebhookPublicKey)
	if err != nil {
		return fmt.Errorf("SENDGRID_WEBHOOK_PUBLIC_KEY: %w", err)
	}
	a.sendGridKey = key
	return nil
}
