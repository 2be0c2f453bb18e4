package twilio_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rappel/internal/testenv"
	"rappel/internal/twilio"
	"rappel/jobs/deliver"
)

// statusForm is a status callback's body, as "Track the message status of
// outbound messages" shows it.
func statusForm() url.Values {
	return url.Values{
		"SmsSid": {sid}, "SmsStatus": {"delivered"}, "MessageStatus": {"delivered"}, "To": {phone}, "MessageSid": {sid},
		"AccountSid": {account}, "From": {from}, "ApiVersion": {"2010-04-01"},
	}
}

func form(f url.Values, pairs ...string) url.Values {
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func TestAStatusCallbackIsRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		form url.Values
		want twilio.Status
	}{
		"delivered": {
			form(statusForm(), "notification", id),
			twilio.Status{NotificationID: id, MessageSID: sid, State: twilio.StateDelivered},
		},
		"undelivered, with the reason": {
			form(statusForm(), "notification", id, "MessageStatus", "undelivered", "ErrorCode", "30006"),
			twilio.Status{NotificationID: id, MessageSID: sid, State: twilio.StateUndelivered, ErrorCode: 30006},
		},
		"of a message that is not ours": {statusForm(), twilio.Status{MessageSID: sid, State: twilio.StateDelivered}},
		"in a state of tomorrow": {
			form(statusForm(), "MessageStatus", "teleported"), twilio.Status{MessageSID: sid, State: "teleported"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := twilio.ParseStatus(c.form)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStatusCallbackThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		form url.Values
		want error
	}{
		"nothing":                         {url.Values{}, twilio.ErrNoSID},
		"no SID":                          {form(statusForm(), "MessageSid", ""), twilio.ErrNoSID},
		"an SID of something else":        {form(statusForm(), "MessageSid", account), twilio.ErrNoSID},
		"an SID cut short":                {form(statusForm(), "MessageSid", sid[:33]), twilio.ErrNoSID},
		"no state":                        {form(statusForm(), "MessageStatus", ""), twilio.ErrNoState},
		"a state that is a sentence":      {form(statusForm(), "MessageStatus", "to "+phone), twilio.ErrNoState},
		"a code that is no number":        {form(statusForm(), "ErrorCode", "thirty"), twilio.ErrBadCode},
		"a code below nothing":            {form(statusForm(), "ErrorCode", "-1"), twilio.ErrBadCode},
		"a code larger than any of them":  {form(statusForm(), "ErrorCode", "99999999"), twilio.ErrBadCode},
		"a notification that is no id":    {form(statusForm(), "notification", "x' OR 1=1"), twilio.ErrNoNotification},
		"a notification with odd letters": {form(statusForm(), "notification", id[:35]+"g"), twilio.ErrNoNotification},
		"a notification without dashes":   {form(statusForm(), "notification", "019000000000070000800000000000000001"), twilio.ErrNoNotification},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := twilio.ParseStatus(c.form)
			if !errors.Is(err, c.want) || got != (twilio.Status{}) {
				t.Errorf("%+v, %v", got, err)
			}
			silent(t, err)
		})
	}
}

func TestAnErrorCodeThatSpeaksOfTheAddressSilencesIt(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		0: "", 21610: deliver.CodeOptedOut, 21211: deliver.CodeInvalidAddress, 21614: deliver.CodeInvalidAddress,
		21635: deliver.CodeLandline, 30006: deliver.CodeLandline, 30005: deliver.CodeInvalidAddress, 30003: "", 30034: "", 30007: "", 30008: "",
	} {
		if got := (twilio.Status{ErrorCode: code}).Silence(); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
	if got := (twilio.Status{ErrorCode: 30006}).Code() + (twilio.Status{}).Code(); got != "30006" {
		t.Errorf("%q", got)
	}
}

func TestAMessageThatWaitedTooLongHasExpired(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]deliver.Status{30036: deliver.Expired, 30008: deliver.Undelivered} {
		got := twilio.Status{NotificationID: id, MessageSID: sid, State: twilio.StateFailed, ErrorCode: code}.Receipt(now())
		if got.Status != want || got.ErrorCode != strconv.Itoa(code) {
			t.Errorf("%d: %+v, want %s", code, got, want)
		}
	}
}

func TestAStateIsAStatusOfTheLedger(t *testing.T) {
	t.Parallel()
	want := map[twilio.State]deliver.Status{
		"accepted": deliver.Sent, "scheduled": deliver.Sent, "queued": deliver.Sent, "sending": deliver.Sent, "sent": deliver.Sent,
		"delivered": deliver.Delivered, "read": deliver.Delivered,
		"undelivered": deliver.Undelivered, "failed": deliver.Undelivered, "canceled": deliver.Undelivered,
		"teleported": "", "": "", "receiving": "", "received": "",
	}
	for state, status := range want {
		if got := state.Status(); got != status {
			t.Errorf("%s: %q, want %q", state, got, status)
		}
		if final := status == deliver.Delivered || status == deliver.Undelivered; state.Final() != final {
			t.Errorf("%s: final is %t", state, !final)
		}
		if (state.Rank() == 0) != (status == "") {
			t.Errorf("%s: rank %d with the status %q", state, state.Rank(), status)
		}
	}
	if len(twilio.States()) != 10 {
		t.Errorf("%v", twilio.States())
	}
}

// stands is what is kept when callbacks come in one after the other.
func stands(came []twilio.State) (kept twilio.State) {
	for _, s := range came {
		if s.Rank() > kept.Rank() {
			kept = s
		}
	}
	return kept
}

func TestCallbacksInAnyOrderAndRepeatedEndTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]twilio.State{"delivered", "undelivered", "failed"}).Draw(t, "end")
		way := []twilio.State{"accepted", "queued", "sending", "sent", "teleported", end}
		more := rapid.SliceOf(rapid.SampledFrom(way)).Draw(t, "repeated")
		came := rapid.Permutation(append(way, more...)).Draw(t, "came")
		if got := stands(came); got != end {
			t.Errorf("%v ends as %s", came, got)
		}
	})
}

func TestTheFirstFinalStateStays(t *testing.T) {
	t.Parallel()
	if got := stands([]twilio.State{"sent", "delivered", "undelivered", "sent"}); got != "delivered" {
		t.Errorf("%s", got)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add(form(statusForm(), "notification", id, "ErrorCode", "30006").Encode())
	f.Add("MessageSid=%00&MessageStatus=sent")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		s, err := twilio.ParseStatus(values)
		if err != nil {
			if s != (twilio.Status{}) {
				t.Errorf("%+v beside %v", s, err)
			}
			return
		}
		if len(s.MessageSID) != 34 || s.State == "" || s.ErrorCode < 0 || s.NotificationID != "" && len(s.NotificationID) != 36 {
			t.Errorf("%+v", s)
		}
		_, _, _, _ = s.Silence(), s.Code(), s.State.Status(), s.State.Final()
	})
}

// A message that is sent once more hears of both tries.
func TestACallbackSaysWhichTryItIsAbout(t *testing.T) {
	t.Parallel()
	const claim = "01900000-0000-7000-8000-00000000000c"
	var callback string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		callback = r.FormValue("StatusCallback")
		w.WriteHeader(http.StatusCreated)
	})
	m := sms(t)
	m.ClaimID = claim
	c.Send(testenv.Within(t), m)
	u, err := url.Parse(callback)
	if err != nil {
		t.Fatal(err)
	}
	told := statusForm()
	maps.Copy(told, u.Query())
	s, err := twilio.ParseStatus(told)
	if err != nil || s.NotificationID != m.NotificationID || s.Receipt(now()).ClaimID != claim {
		t.Errorf("%+v, %v", s, err)
	}
	told.Set("claim", "Ann")
	if _, err := twilio.ParseStatus(told); err == nil {
		t.Error("a claim that is no id of ours is taken")
	}
}
