package sendgrid_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rappel/internal/sendgrid"
	"rappel/internal/testenv"
	"rappel/jobs/deliver"
	"rappel/recipients"
)

func TestAMailIsWhatSendGridAsksFor(t *testing.T) {
	t.Parallel()
	whole := func() sentMail {
		return sentMail{
			Personalizations: []personalization{{
				To: []person{{Email: mailbox, Name: "Ann Lee"}}, CustomArgs: map[string]string{"notification_id": id},
			}},
			From: &person{Email: from, Name: "The Practice"}, ReplyTo: &person{Email: "reply@practice.example.com"},
			Subject: "Booked", Content: []part{{"text/plain", "See you <soon>"}, {"text/html", "<p>See you</p>"}},
		}
	}
	cases := map[string]struct {
		change func(*deliver.Message)
		want   func(*sentMail)
	}{
		"text first, then HTML": {func(*deliver.Message) {}, func(*sentMail) {}},
		"text alone":            {func(m *deliver.Message) { m.Text.HTML = "" }, func(m *sentMail) { m.Content = m.Content[:1] }},
		"HTML alone":            {func(m *deliver.Message) { m.Text.Body = "" }, func(m *sentMail) { m.Content = m.Content[1:] }},
		"a practice without an address": {
			func(m *deliver.Message) { m.Text.ReplyTo = "" }, func(m *sentMail) { m.ReplyTo = nil },
		},
		"a person without a name": {
			func(m *deliver.Message) { m.Text.Name = "" }, func(m *sentMail) { m.Personalizations[0].To[0].Name = "" },
		},
		"a name that would be taken for two mailboxes": {
			func(m *deliver.Message) { m.Text.Name = `Lee, Ann; "Annie" <x@y.z>` },
			func(m *sentMail) { m.Personalizations[0].To[0].Name = `Lee Ann "Annie" <x@y.z>` },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, m, want := &fake{}, email(t), whole()
			c.change(&m)
			c.want(&want)
			got := serve(t, f.ServeHTTP).Send(testenv.Within(t), m)
			if diff := cmp.Diff(deliver.Answer{Verdict: deliver.Accepted, MessageID: "LRzXl_NHStOGhQ4kofSm_1"}, got); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]sentMail{want}, f.messages(), cmpopts.IgnoreFields(sentMail{}, "TrackingSettings")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsTrackedAndOnlyOurIdGoesAlong(t *testing.T) {
	t.Parallel()
	f := &fake{}
	serve(t, f.ServeHTTP).Send(testenv.Within(t), email(t))
	want := []string{
		"click_tracking.enable=false", "click_tracking.enable_text=false", "ganalytics.enable=false",
		"open_tracking.enable=false", "subscription_tracking.enable=false",
	}
	if diff := cmp.Diff(want, f.messages()[0].settings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := argNames(f.messages()[0]); !slices.Equal(got, []string{"notification_id"}) {
		t.Errorf("%v", got)
	}
	again := email(t)
	again.ClaimID = id
	serve(t, f.ServeHTTP).Send(testenv.Within(t), again)
	if got := f.messages()[1].Personalizations[0].CustomArgs["claim_id"]; got != id {
		t.Errorf("the try is said to be %q", got)
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
	}).Send(testenv.Within(t), email(t))
}

func TestABaseURLIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/sendgrid", "/sendgrid/"} {
		f, mux := &fake{}, http.NewServeMux()
		mux.Handle("/sendgrid/", http.StripPrefix("/sendgrid", f))
		if got := client(t, options(newServer(t, mux.ServeHTTP)+base)).Send(testenv.Within(t), email(t)); got.Verdict != deliver.Accepted {
			t.Errorf("%s: %+v", base, got)
		}
	}
}

func TestWhatSendGridWouldCertainlyRefuseIsNotSent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*deliver.Message){
		"no subject":     func(m *deliver.Message) { m.Text.Subject = "" },
		"no text at all": func(m *deliver.Message) { m.Text.Body, m.Text.HTML = "", "" },
		"nobody":         func(m *deliver.Message) { m.To = recipients.Address{} },
		"a text message": func(m *deliver.Message) { m.Channel = recipients.SMS },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := email(t)
			change(&m)
			got := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") }).Send(testenv.Within(t), m)
			if got.Verdict != deliver.Refused || got.Err == nil || !got.Unasked {
				t.Errorf("%+v", got)
			}
			silent(t, got.Err)
		})
	}
}

func TestAllThatIsWrongWithTheOptionsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := sendgrid.New(sendgrid.Options{
		APIKey: key + " " + password, FromEmail: "Ann <" + mailbox + ">", BaseURL: "ftp://user:" + password + "@host",
	})
	if err == nil {
		t.Fatal("no error")
	}
	silent(t, err)
	for _, want := range []string{"API key", "e-mail address", "base URL", "clock"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*sendgrid.Options){
		"no key":                       func(o *sendgrid.Options) { o.APIKey = "" },
		"a key that ends the header":   func(o *sendgrid.Options) { o.APIKey = key + "\r\nX: y" },
		"no sender":                    func(o *sendgrid.Options) { o.FromEmail = "" },
		"a base URL of another kind":   func(o *sendgrid.Options) { o.BaseURL = "file:///etc/passwd" },
		"a base URL that cannot be it": func(o *sendgrid.Options) { o.BaseURL = "https://host:port" },
		"a base URL with a query":      func(o *sendgrid.Options) { o.BaseURL = "https://host/?a=b" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options("")
			change(&o)
			if _, err := sendgrid.New(o); err == nil {
				t.Error("no error")
			}
		})
	}
	if _, err := sendgrid.New(options("")); err != nil {
		t.Errorf("good ones: %v", err)
	}
}

// TestFakeIsStrict keeps the stand-in honest: what it must refuse, it refuses.
func TestFakeIsStrict(t *testing.T) {
	t.Parallel()
	good := func() sentMail {
		return sentMail{
			Personalizations: []personalization{{To: []person{{Email: mailbox}}}},
			From:             &person{Email: from}, Subject: "x", Content: []part{{"text/plain", "x"}, {"text/html", "x"}},
		}
	}
	many := func(n int) (all []person) {
		for i := range n {
			all = append(all, person{Email: fmt.Sprintf("a%d@example.com", i)})
		}
		return all
	}
	if p := refuse(good()); p != nil {
		t.Errorf("a good one: %+v", p)
	}
	for name, c := range map[string]struct {
		change func(*sentMail)
		field  string
	}{
		"no sender":             {func(m *sentMail) { m.From = nil }, "from.email"},
		"no subject":            {func(m *sentMail) { m.Subject = "" }, "subject"},
		"no content":            {func(m *sentMail) { m.Content = nil }, "content"},
		"an empty part":         {func(m *sentMail) { m.Content[1].Value = "" }, "content.1.value"},
		"HTML before the text":  {func(m *sentMail) { slices.Reverse(m.Content) }, "content"},
		"no personalization":    {func(m *sentMail) { m.Personalizations = nil }, "personalizations"},
		"nobody":                {func(m *sentMail) { m.Personalizations[0].To = nil }, "personalizations.0.to"},
		"somebody twice":        {func(m *sentMail) { m.Personalizations[0].CC = m.Personalizations[0].To }, "personalizations"},
		"an address that is no": {func(m *sentMail) { m.Personalizations[0].To[0].Email = "x" }, "personalizations.0.to.0.email"},
		"1,001 people":          {func(m *sentMail) { m.Personalizations[0].To = many(1001) }, "personalizations"},
		"too much carried along": {func(m *sentMail) {
			m.Personalizations[0].CustomArgs = map[string]string{"x": strings.Repeat("x", 10_000)}
		}, "personalizations.0.custom_args"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good()
			c.change(&m)
			if p := refuse(m); p == nil || *p.Errors[0].Field != c.field {
				t.Errorf("%+v", p)
			}
		})
	}
	crowd := good()
	crowd.Personalizations[0].To = many(1000)
	if p := refuse(crowd); p != nil {
		t.Errorf("1,000 people: %+v", p)
	}
}
