package twilio

import (
	"errors"
	"net/url"

	sdk "github.com/twilio/twilio-go/client"
)

// SignatureHeader is where Twilio puts the signature of a webhook.
const SignatureHeader = "X-Twilio-Signature"

// ErrSignature means that a request is not known to be Twilio's.
var ErrSignature = errors.New("not signed by Twilio")

// CheckSignature tells whether Twilio signed a webhook: publicURL is the exact
// URL that Twilio was given, with its query, form what came in the body.
// Without a token nothing is signed. The library signs only the first value of
// each name, so a form that repeats one is refused. Source: "Twilio: Webhooks
// security".
func CheckSignature(authToken, publicURL string, form url.Values, signature string) error {
	if authToken == "" || signature == "" {
		return ErrSignature
	}
	params := make(map[string]string, len(form))
	for name, values := range form {
		if len(values) != 1 {
			return ErrSignature
		}
		params[name] = values[0]
	}
	validator := sdk.NewRequestValidator(authToken)
	if !validator.Validate(publicURL, params, signature) {
		return ErrSignature
	}
	return nil
}
