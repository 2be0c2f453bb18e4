package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rappel/internal/admin"
	"rappel/jobs/deliver"
)

func (a *App) checkAdmin(ctx context.Context) verdict {
	if a.admin == nil {
		return verdict{doubtful: []string{"none are configured: what people answer goes nowhere; set RAPPEL_ADMIN_URL and RAPPEL_ADMIN_TOKEN"}}
	}
	if err := a.admin.Health(ctx); err != nil {
		if !strings.Contains(err.Error(), "RAPPEL_ADMIN_") {
			err = fmt.Errorf("%w: is RAPPEL_ADMIN_URL right?", err)
		}
		return failed(err)
	}
	fine := "they answer and know the token"
	if most := a.admin.Batch(); most > 1 {
		fine = fmt.Sprintf("they answer, know the token, and offer batches of up to %d", most)
	}
	for _, feature := range slices.Sorted(maps.Keys(admin.Features())) {
		if !a.admin.Offers(feature) {
			fine += fmt.Sprintf("; GET health does not list the feature %s: %s", feature, admin.Features()[feature])
		}
	}
	return verdict{fine: fine}
}

// checkTwilio looks at what is set, and sends nothing. What is no account at all
// is a mistake of the configuration, and told before any check.
func (a *App) checkTwilio(context.Context) verdict {
	const shortCode = 6
	from, v := a.cfg.Twilio.From, verdict{fine: "SMS go by Twilio"}
	if digits := strings.Trim(from, "0123456789") == ""; digits && len(from) > shortCode {
		v.wrong = append(v.wrong, "TWILIO_FROM is a number without its +: write it as +12015550123")
	}
	v.public(a.cfg.PublicURL, "Twilio tells neither what became of messages nor what people answer")
	return v
}

// checkSendGrid does the same for SendGrid.
func (a *App) checkSendGrid(context.Context) verdict {
	v := verdict{fine: "e-mail goes by SendGrid"}
	if a.sendGridKey == nil {
		v.doubtful = append(v.doubtful, "SENDGRID_WEBHOOK_PUBLIC_KEY is not set, so no event is believed: addresses that bounce or complain are written to again")
	}
	v.public(a.cfg.PublicURL, "SendGrid cannot tell what became of messages")
	return v
}

// public notes what is missing without a URL under which others reach us.
func (v *verdict) public(url, without string) {
	switch {
	case url == "":
		v.doubtful = append(v.doubtful, "RAPPEL_PUBLIC_URL is not set: "+without)
	case !strings.HasPrefix(url, "https://"):
		v.doubtful = append(v.doubtful, "RAPPEL_PUBLIC_URL is not https: answers and addresses can be read on the way")
	}
}

// checkLimits shows the chain of time limits that a worker here would have.
func (a *App) checkLimits(context.Context) verdict {
	l := deliver.LimitsWithin(a.cfg.ShutdownTimeout)
	if err := l.Valid(); err != nil {
		return failed(err)
	}
	return verdict{fine: fmt.Sprintf("a request ends within %s, a claim within %s, a task within %s, the shutdown within %s",
		l.Request, l.Claim, l.Task, l.Shutdown)}
}
