package app

import (
	"errors"
	"fmt"

	"rappel/internal/admin"
	"rappel/internal/config"
	"rappel/internal/sendgrid"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

// A wayOut carries the messages of a channel.
type wayOut struct {
	deliver.Sender

	name deliver.Way
}

// openWays prepares the ways out that the configuration names, as far as it is
// complete: not every command delivers.
func (a *App) openWays() error {
	var adminErr, smsErr, emailErr error
	if a.cfg.AdminURL != "" {
		a.admin, adminErr = admin.New(admin.Options{
			URL: a.cfg.AdminURL, Token: a.cfg.AdminToken.Reveal(), Version: a.version,
			Connections: a.cfg.Concurrency, Now: a.now,
		})
		if adminErr != nil {
			adminErr = fmt.Errorf("RAPPEL_ADMIN_URL: %w", adminErr)
		}
	}
	a.ways = map[recipients.Channel]wayOut{
		recipients.SMS:   {a.admin, deliver.ByAdmin},
		recipients.Email: {a.admin, deliver.ByAdmin},
	}
	if a.cfg.SMSVia == config.ViaTwilio && a.cfg.Twilio.AccountSID != "" {
		smsErr = a.openTwilio()
	}
	if a.cfg.EmailVia == config.ViaSendGrid && a.cfg.SendGrid.APIKey != "" {
		emailErr = a.openSendGrid()
	}
	return errors.Join(adminErr, smsErr, emailErr)
}

func (a *App) openTwilio() error {
	o := twilio.Options{
		AccountSID: a.cfg.Twilio.AccountSID, AuthToken: a.cfg.Twilio.AuthToken.Reveal(),
		From: a.cfg.Twilio.From, MessagingServiceSID: a.cfg.Twilio.MessagingServiceSID,
		BaseURL: a.cfg.Twilio.URL, Connections: a.cfg.Concurrency, Now: a.now,
	}
	if a.cfg.PublicURL != "" {
		o.StatusURL = a.public(twilioStatus)
	}
	out, err := twilio.New(o)
	if err != nil {
		return fmt.Errorf("TWILIO_…: %w", err)
	}
	a.ways[recipients.SMS] = wayOut{out, deliver.ByTwilio}
	return nil
}

func (a *App) openSendGrid() error {
	out, err := sendgrid.New(sendgrid.Options{
		APIKey: a.cfg.SendGrid.APIKey.Reveal(), FromEmail: a.cfg.SendGrid.FromEmail, FromName: a.cfg.SendGrid.FromName,
		BaseURL: a.cfg.SendGrid.URL, Connections: a.cfg.Concurrency, Now: a.now,
	})
	if err != nil {
		return fmt.Errorf("SENDGRID_…: %w", err)
	}
	a.ways[recipients.Email] = wayOut{out, deliver.BySendGrid}
	return nil
}
