package twilio_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"rappel/internal/twilio"
	"rappel/jobs/reply"
)

// inboundForm is an incoming message's body, as "Twilio's request to your
// incoming message webhook" shows it.
func inboundForm() url.Values {
	return url.Values{
		"ToCountry": {"US"}, "ToState": {"NJ"}, "SmsMessageSid": {sid}, "NumMedia": {"0"}, "ToCity": {""}, "FromZip": {"07302"},
		"SmsSid": {sid}, "FromState": {"NJ"}, "SmsStatus": {"received"}, "FromCity": {"JERSEY CITY"}, "Body": {"Stop. See you, Ann"},
		"FromCountry": {"US"}, "To": {from}, "ToZip": {""}, "NumSegments": {"1"}, "MessageSid": {sid}, "AccountSid": {account},
		"From": {phone}, "ApiVersion": {"2010-04-01"},
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAMessageFromAPersonIsRead(t *testing.T) {
	t.Parallel()
	got, err := twilio.ParseInbound(form(inboundForm(), "OptOutType", "STOP"))
	if err != nil {
		t.Fatal(err)
	}
	if got.From.Reveal() != phone || got.Text.Reveal() != "Stop. See you, Ann" || got.CarrierID != sid || got.TakenFor != reply.OptOut {
		t.Errorf("%s %s %s", got.From.Reveal(), got.Text.Reveal(), asJSON(t, got))
	}
}

func TestMessagesThatAreReadAllTheSame(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]url.Values{
		"a picture without words":    form(inboundForm(), "Body", "", "NumMedia", "1", "MessageSid", "MM0123456789abcdef0123456789abcdef"),
		"to a short code":            form(inboundForm(), "To", "38383"),
		"from another country":       form(inboundForm(), "From", "+4915112345678"),
		"1,600 faces":                form(inboundForm(), "Body", strings.Repeat("🙂", 1600)),
		"by RCS":                     form(inboundForm(), "From", "rcs:"+phone, "To", "rcs:elm_street_agent"),
		"by RCS to a number":         form(inboundForm(), "From", "rcs:"+phone),
		"an opt-out of another kind": form(inboundForm(), "OptOutType", "MAYBE"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := twilio.ParseInbound(f)
			if err != nil || got.Text.Reveal() != f.Get("Body") || got.From.Reveal() != strings.TrimPrefix(f.Get("From"), "rcs:") || got.TakenFor != "" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestAdvancedOptOut(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]reply.Meaning{
		"STOP": reply.OptOut, "START": reply.OptIn, "HELP": reply.Help, "stop": reply.OptOut, "": "", "STOPALL": "",
	} {
		got, err := twilio.ParseInbound(form(inboundForm(), "OptOutType", said))
		if err != nil || got.TakenFor != want {
			t.Errorf("%q: %q, %v", said, got.TakenFor, err)
		}
	}
}

func TestAMessageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		form url.Values
		want error
	}{
		"nothing":                     {url.Values{}, twilio.ErrNoSender},
		"from a short code":           {form(inboundForm(), "From", "38383"), twilio.ErrNoSender},
		"from a name":                 {form(inboundForm(), "From", "ACME"), twilio.ErrNoSender},
		"from another channel":        {form(inboundForm(), "From", "whatsapp:"+phone), twilio.ErrNoSender},
		"from no number":              {form(inboundForm(), "From", "+1"), twilio.ErrNoSender},
		"to nobody":                   {form(inboundForm(), "To", ""), twilio.ErrNoTo},
		"to an RCS sender of no name": {form(inboundForm(), "To", "rcs:"), twilio.ErrNoTo},
		"from an RCS sender":          {form(inboundForm(), "From", "rcs:elm_street_agent"), twilio.ErrNoSender},
		"to a channel":                {form(inboundForm(), "To", "whatsapp:"+from), twilio.ErrNoTo},
		"no SID":                      {form(inboundForm(), "MessageSid", ""), twilio.ErrNoInbound},
		"a text of no alphabet":       {form(inboundForm(), "Body", "\xff\xfe"), twilio.ErrNotText},
		"longer than any message is":  {form(inboundForm(), "Body", strings.Repeat("x", 16<<10+1)), twilio.ErrNotText},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := twilio.ParseInbound(c.form)
			if !errors.Is(err, c.want) || got != (reply.Inbound{}) {
				t.Errorf("%+v, %v", got, err)
			}
			silent(t, err)
		})
	}
}

func FuzzParseInbound(f *testing.F) {
	f.Add(form(inboundForm(), "OptOutType", "STOP").Encode())
	f.Add("From=%2B1&Body=%ff")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		in, err := twilio.ParseInbound(values)
		if err != nil {
			if in != (reply.Inbound{}) {
				t.Errorf("%+v beside %v", in, err)
			}
			return
		}
		if in.From.Reveal() == "" || len(in.CarrierID) != 34 || in.Text.Reveal() != values.Get("Body") {
			t.Errorf("%+v", in)
		}
	})
}
