package twilio_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/testenv"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

func TestAMessageIsWhatTwilioAsksFor(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*twilio.Options)
		want   url.Values
	}{
		"from a number": {
			func(*twilio.Options) {},
			url.Values{"To": {phone}, "From": {from}, "Body": {words}, "StatusCallback": {statusAt + "?notification=" + id}},
		},
		"from a messaging service": {
			func(o *twilio.Options) { o.From, o.MessagingServiceSID = "", service },
			url.Values{"To": {phone}, "MessagingServiceSid": {service}, "Body": {words}, "StatusCallback": {statusAt + "?notification=" + id}},
		},
		"from a number of a messaging service": {
			func(o *twilio.Options) { o.MessagingServiceSID = service },
			url.Values{
				"To": {phone}, "From": {from}, "MessagingServiceSid": {service}, "Body": {words},
				"StatusCallback": {statusAt + "?notification=" + id},
			},
		},
		"no status callback where nobody can be called": {
			func(o *twilio.Options) { o.StatusURL = "" },
			url.Values{"To": {phone}, "From": {from}, "Body": {words}},
		},
		"a status callback that has a query already keeps it": {
			func(o *twilio.Options) { o.StatusURL = statusAt + "?a=b" },
			url.Values{"To": {phone}, "From": {from}, "Body": {words}, "StatusCallback": {statusAt + "?a=b&notification=" + id}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			o := options(newServer(t, f.ServeHTTP))
			c.change(&o)
			got := client(t, o).Send(testenv.Within(t), sms(t))
			want := deliver.Answer{Verdict: deliver.Accepted, MessageID: "SM00000000000000000000000000000001"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]url.Values{c.want}, f.messages()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTwilioIsToldHowLongAMessageIsOfUse(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]string{
		time.Hour: "3600", 90*time.Second + 999*time.Millisecond: "90", 10 * time.Hour: "36000",
		24 * time.Hour: "36000", 10 * 365 * 24 * time.Hour: "36000", time.Millisecond: "1", 0: "1", -time.Minute: "1",
	} {
		f := &fake{}
		m := sms(t)
		m.ExpiresAt = now().Add(left)
		if got := serve(t, f.ServeHTTP).Send(testenv.Within(t), m); got.Verdict != deliver.Accepted {
			t.Fatalf("%+v", got)
		}
		if got := f.messages()[0].Get("ValidityPeriod"); got != want {
			t.Errorf("%s before its end: %s, want %s", left, got, want)
		}
	}
}

// A key would make net/http send the POST again on its own.
func TestARequestHasNoIdempotencyKey(t *testing.T) {
	t.Parallel()
	f := &fake{}
	serve(t, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.Contains(name, "Idempotency") {
				t.Errorf("%s is sent", name)
			}
		}
		if got := r.UserAgent(); got != "rappel" {
			t.Errorf("User-Agent %q", got)
		}
		f.ServeHTTP(w, r)
	}).Send(testenv.Within(t), sms(t))
}

func TestABaseURLIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	f := &fake{}
	mux := http.NewServeMux()
	mux.Handle("/twilio/", http.StripPrefix("/twilio", f))
	c := client(t, options(newServer(t, mux.ServeHTTP)+"/twilio"))
	if got := c.Send(testenv.Within(t), sms(t)); got.Verdict != deliver.Accepted {
		t.Errorf("%+v", got)
	}
}

func TestWhatTwilioWouldCertainlyRefuseIsNotSent(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*deliver.Message)
		code   string
	}{
		"1,601 characters": {func(m *deliver.Message) { m.Text.Body = strings.Repeat("x", 1601) }, "21617"},
		"1,601 characters of an alphabet of two bytes": {func(m *deliver.Message) { m.Text.Body = strings.Repeat("я", 1601) }, "21617"},
		"no text":   {func(m *deliver.Message) { m.Text.Body = "" }, "21602"},
		"nobody":    {func(m *deliver.Message) { m.To = recipients.Address{} }, "21604"},
		"an e-mail": {func(m *deliver.Message) { m.Channel = recipients.Email }, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sms(t)
			c.change(&m)
			got := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") }).Send(testenv.Within(t), m)
			if got.Verdict != deliver.Refused || got.Code != c.code || got.Err == nil || !got.Unasked {
				t.Errorf("%+v", got)
			}
			silent(t, got.Err)
		})
	}
}

func TestTheLongestTextThatTwilioTakesIsSent(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"1,600 letters": strings.Repeat("x", 1600), "1,600 letters of two bytes": strings.Repeat("я", 1600),
		"1,600 faces": strings.Repeat("🙂", 1600),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, m := &fake{}, sms(t)
			m.Text.Body = text
			if got := serve(t, f.ServeHTTP).Send(testenv.Within(t), m); got.Verdict != deliver.Accepted {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAllThatIsWrongWithTheOptionsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := twilio.New(twilio.Options{
		AccountSID: "SK-" + password, AuthToken: token + "-" + password, MessagingServiceSID: "XX" + password,
		BaseURL: "ftp://user:" + password + "@host", StatusURL: "http://" + password + ":port",
	})
	if err == nil {
		t.Fatal("no error")
	}
	silent(t, err)
	for _, want := range []string{"account SID", "auth token", "messaging service", "base URL", "status callback", "clock"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*twilio.Options){
		"an account that is none":             func(o *twilio.Options) { o.AccountSID = "AC123" },
		"an account that names another":       func(o *twilio.Options) { o.AccountSID = account + "/../" + account },
		"no token":                            func(o *twilio.Options) { o.AuthToken = "" },
		"nothing to send from":                func(o *twilio.Options) { o.From = "" },
		"a host that Twilio refuses":          func(o *twilio.Options) { o.StatusURL = "https://rap_pel.example.com/x" },
		"a status URL without a host":         func(o *twilio.Options) { o.StatusURL = "/webhooks/twilio/status" },
		"a base URL of another kind":          func(o *twilio.Options) { o.BaseURL = "file:///etc/passwd" },
		"a messaging service that is an SID":  func(o *twilio.Options) { o.MessagingServiceSID = account },
		"a token with a blank, as copied out": func(o *twilio.Options) { o.AuthToken = token + " " },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options("")
			change(&o)
			if _, err := twilio.New(o); err == nil {
				t.Error("no error")
			}
		})
	}
	if _, err := twilio.New(options("")); err != nil {
		t.Errorf("good ones: %v", err)
	}
}
