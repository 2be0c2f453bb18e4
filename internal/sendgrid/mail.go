package sendgrid

import (
	"errors"
	"strings"

	"github.com/sendgrid/sendgrid-go/helpers/mail"

	"rappel/jobs/deliver"
	"rappel/recipients"
)

// The custom arguments carry our own ids: of the notification, and of the claim
// under which it was sent. They come back with every event; nothing about a
// person may stand there ("Event Webhook Reference").
const (
	notificationArg = "notification_id"
	claimArg        = "claim_id"
)

// unsendable tells what SendGrid would certainly refuse.
func unsendable(m deliver.Message) error {
	switch {
	case m.Channel != recipients.Email:
		return errors.New("SendGrid carries e-mail only")
	case m.To == recipients.Address{}:
		return errors.New("the message has nobody to go to")
	case m.Text.Subject == "":
		return errors.New("the message has no subject")
	case m.Text.Body == "" && m.Text.HTML == "":
		return errors.New("the message has no text")
	}
	return nil
}

// mail is m in SendGrid's terms: one message to one person, nothing measured.
func (c *Client) mail(m deliver.Message) *mail.SGMailV3 {
	to := mail.NewPersonalization()
	to.AddTos(mail.NewEmail(named(m.Text.Name), m.To.Reveal()))
	to.SetCustomArg(notificationArg, m.NotificationID)
	if m.ClaimID != "" {
		to.SetCustomArg(claimArg, m.ClaimID)
	}
	e := mail.NewV3Mail().
		SetFrom(mail.NewEmail(c.fromName, c.from.Reveal())).
		AddPersonalizations(to).
		AddContent(parts(m.Text)...).
		SetTrackingSettings(untracked())
	e.Subject = m.Text.Subject
	if m.Text.ReplyTo != "" {
		e.SetReplyTo(mail.NewEmail("", m.Text.ReplyTo))
	}
	return e
}

// parts are the text before the HTML, as SendGrid demands, and neither empty.
func parts(t deliver.Text) (found []*mail.Content) {
	if t.Body != "" {
		found = append(found, mail.NewContent("text/plain", t.Body))
	}
	if t.HTML != "" {
		found = append(found, mail.NewContent("text/html", t.HTML))
	}
	return found
}

// named is a name without commas and semicolons, which SendGrid's own
// documentation forbade for years: it took them for the end of one mailbox and
// the beginning of another, and dropped the mail. Whether it still does is not
// documented.
func named(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ',' || r == ';' {
			return -1
		}
		return r
	}, name)
}

// untracked switches off what the account may have on: links that lead over
// SendGrid, a picture that tells who reads, an unsubscribe footer.
func untracked() *mail.TrackingSettings {
	off := false
	return mail.NewTrackingSettings().
		SetClickTracking(mail.NewClickTrackingSetting().SetEnable(off).SetEnableText(off)).
		SetOpenTracking(mail.NewOpenTrackingSetting().SetEnable(off)).
		SetSubscriptionTracking(mail.NewSubscriptionTrackingSetting().SetEnable(off)).
		SetGoogleAnalytics(mail.NewGaSetting().SetEnable(off))
}
