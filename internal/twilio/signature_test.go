package twilio_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"slices"
	"testing"

	"rappel/internal/twilio"
)

// hmacOf is what Twilio puts into the header for text.
func hmacOf(token, text string) string {
	h := hmac.New(sha1.New, []byte(token))
	_, _ = h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// sign signs as "Twilio: Webhooks security" has it: the URL, then each name and
// its value in the order of the names.
func sign(t *testing.T, publicURL string, form url.Values) string {
	t.Helper()
	text := publicURL
	for _, name := range slices.Sorted(maps.Keys(form)) {
		text += name + form.Get(name)
	}
	return hmacOf(token, text)
}

// The example of "Twilio: Webhooks security", whose signature twilio-go's own
// tests have too.
func TestASignatureOfTwiliosOwnExample(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"Digits": {"1234"}, "CallSid": {"CA1234567890ABCDE"}, "To": {"+18005551212"}, "Caller": {"+14158675309"},
		"From": {"+14158675309"}, "ReasonConferenceEnded": {"test"}, "Reason": {"Participant"},
	}
	const at, signature = "https://mycompany.com/myapp.php?foo=1&bar=2", "vOEb5UThFn24KEfnOFLQY2AE5FY="
	if err := twilio.CheckSignature("12345", at, form, signature); err != nil {
		t.Error(err)
	}
	if err := twilio.CheckSignature("12346", at, form, signature); !errors.Is(err, twilio.ErrSignature) {
		t.Error("another token's")
	}
}

func TestASignatureHoldsForExactlyWhatWasSigned(t *testing.T) {
	t.Parallel()
	const at = statusAt + "?notification=" + id
	good := sign(t, at, statusForm())
	if err := twilio.CheckSignature(token, at, statusForm(), good); err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(at string, form url.Values, signature string) (string, url.Values, string){
		"another notification": func(_ string, f url.Values, s string) (string, url.Values, string) {
			return statusAt + "?notification=01900000-0000-7000-8000-000000000002", f, s
		},
		"no query": func(_ string, f url.Values, s string) (string, url.Values, string) { return statusAt, f, s },
		"another host": func(_ string, f url.Values, s string) (string, url.Values, string) {
			return "https://rappel.example.org/webhooks/twilio/status?notification=" + id, f, s
		},
		"http for https": func(at string, f url.Values, s string) (string, url.Values, string) {
			return "http" + at[len("https"):], f, s
		},
		"another state": func(at string, f url.Values, s string) (string, url.Values, string) {
			f.Set("MessageStatus", "failed")
			return at, f, s
		},
		"a field more": func(at string, f url.Values, s string) (string, url.Values, string) {
			f.Set("OptOutType", "STOP")
			return at, f, s
		},
		"a field less": func(at string, f url.Values, s string) (string, url.Values, string) {
			f.Del("MessageStatus")
			return at, f, s
		},
		"a second value": func(at string, f url.Values, s string) (string, url.Values, string) {
			f.Add("MessageStatus", "failed")
			return at, f, s
		},
		"a name without values": func(at string, f url.Values, s string) (string, url.Values, string) {
			f["X"] = nil
			return at, f, s
		},
		"another signature": func(at string, f url.Values, s string) (string, url.Values, string) { return at, f, s[1:] + "A" },
		"no signature":      func(at string, f url.Values, _ string) (string, url.Values, string) { return at, f, "" },
	}
	for name, tamper := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, form, signature := tamper(at, statusForm(), good)
			if err := twilio.CheckSignature(token, at, form, signature); !errors.Is(err, twilio.ErrSignature) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWithoutATokenNothingIsSigned(t *testing.T) {
	t.Parallel()
	if err := twilio.CheckSignature("", statusAt, nil, hmacOf("", statusAt)); !errors.Is(err, twilio.ErrSignature) {
		t.Errorf("%v", err)
	}
}
