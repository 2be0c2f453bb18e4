package sendgrid_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sendgrid/rest"
	sdk "github.com/sendgrid/sendgrid-go"
	"github.com/sendgrid/sendgrid-go/helpers/eventwebhook"
	"github.com/sendgrid/sendgrid-go/helpers/mail"
)

// What sendgrid-go does, as of v3.16. The first tests are what this package
// relies on; the others are why it does not use the library's own client: when
// one of these fails after an upgrade, the wrapper may become smaller.

func TestSDKBuildsARequestThatSharesNothing(t *testing.T) {
	t.Parallel()
	one, other := sdk.GetRequest(key, "/v3/mail/send", "https://host"), sdk.GetRequest(key, "/v3/mail/send", "https://host")
	one.Headers["User-Agent"] = "mine"
	if other.Headers["User-Agent"] == "mine" {
		t.Error("headers are shared")
	}
	if one.BaseURL != "https://host/v3/mail/send" || one.Headers["Authorization"] != "Bearer "+key || one.Headers["Accept"] != "application/json" {
		t.Errorf("%+v", one)
	}
}

func TestSDKMakesAnHTTPRequestOfIt(t *testing.T) {
	t.Parallel()
	built := sdk.GetRequest(key, "/v3/mail/send", "https://host")
	built.Method, built.Body = rest.Post, []byte("{}")
	r, err := rest.BuildRequestObject(built)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPost || string(body) != "{}" || r.ContentLength != 2 || r.GetBody == nil || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", r)
	}
}

func TestSDKChecksTheTimeOnlyAsText(t *testing.T) {
	t.Parallel()
	k, err := eventwebhook.ConvertPublicKeyBase64ToECDSA(theirKey)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := eventwebhook.VerifySignature(k, []byte(theirBody), theirSignature, theirTimestamp); err != nil || !ok {
		t.Errorf("a signature of years ago: %v: our own window is perhaps no longer needed", err)
	}
}

func TestSDKPanicsOnAKeyOfAnotherType(t *testing.T) {
	t.Parallel()
	const ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=" // RFC 8410, section 10.1
	defer func() {
		if recover() == nil {
			t.Error("our own reading of keys is perhaps no longer needed")
		}
	}()
	_, _ = eventwebhook.ConvertPublicKeyBase64ToECDSA(ed25519)
}

func TestSDKsClientKeepsTheLastMail(t *testing.T) {
	t.Parallel()
	c := sdk.NewSendClient(key)
	c.BaseURL = newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	res, err := c.SendWithContext(t.Context(), mail.NewSingleEmail(mail.NewEmail("", from), "s", mail.NewEmail("", mailbox), "x", "x"))
	if err != nil || res.StatusCode != http.StatusInternalServerError {
		t.Errorf("%v, %v: a non-2xx was no error", res, err)
	}
	if !strings.Contains(string(c.Body), mailbox) {
		t.Error("the shared client is perhaps safe now")
	}
}

func TestSDKLeavesOutWhatIsOnlySwitchedOffByDefault(t *testing.T) {
	t.Parallel()
	m := mail.NewV3Mail().SetTrackingSettings(mail.NewTrackingSettings().SetOpenTracking(mail.NewOpenTrackingSetting().SetEnable(false)))
	if got := string(mail.GetRequestBody(m)); !strings.Contains(got, `"open_tracking":{"enable":false}`) {
		t.Errorf("%s", got)
	}
}

// TestNothingOfTheSharedClientIsUsed reads our own source: the compiler lets all
// of this pass, and no test without the race detector would tell.
func TestNothingOfTheSharedClientIsUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"MakeRequest", "NewSendClient", "sdk.Client", "DefaultClient", "sdk.API", "rest.Send", "rest.API"} {
			if strings.Contains(string(source), word) {
				t.Errorf("%s uses %s", file, word)
			}
		}
	}
}
