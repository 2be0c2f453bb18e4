package deliver_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs/deliver"
	"rappel/recipients"
	"rappel/templates"
)

type row = templates.Source

func (s *scene) ruling() deliver.Ruling {
	return deliver.Ruler{Templates: &templates.Cache{}}.Rule(s.n, s.s, s.rows, s.now)
}

// looked is one sentence about what is found when a notification is looked at
// once more.
type looked struct {
	found func(*testing.T, *scene)
	want  string
}

const sent = "send to +12015550101"

func look(t *testing.T, cases map[string]looked) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reminder(t)
			c.found(t, s)
			r := s.ruling()
			if got := verdict(r); got != c.want {
				t.Errorf("got %s, want %s (problem: %v)", got, c.want, r.Problem)
			}
		})
	}
}

func TestTheAppointmentIsLookedAtOnceMore(t *testing.T) {
	t.Parallel()
	status := func(s schedule.Status) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) { c.s.Appointment.Status = s }
	}
	look(t, map[string]looked{
		"nothing has changed":                  {func(*testing.T, *scene) {}, sent},
		"confirmed is as good as scheduled":    {status(schedule.StatusConfirmed), sent},
		"cancelled":                            {status(schedule.StatusCancelled), "suppressed: cancelled"},
		"requested anew":                       {status(schedule.StatusRequested), "suppressed: not_confirmed"},
		"declined":                             {status(schedule.StatusDeclined), "suppressed: status"},
		"arrived early":                        {status(schedule.StatusArrived), "suppressed: status"},
		"completed":                            {status(schedule.StatusCompleted), "suppressed: status"},
		"missed":                               {status(schedule.StatusMissed), "suppressed: status"},
		"a status that nobody knows":           {status("eaten"), "suppressed: status"},
		"the appointment or client is gone":    {func(_ *testing.T, c *scene) { c.s = nil }, "suppressed: superseded"},
		"moved":                                {func(_ *testing.T, c *scene) { c.s.Appointment.StartsAt = c.n.StartsAt.Add(time.Hour) }, "suppressed: superseded"},
		"moved by a second":                    {func(_ *testing.T, c *scene) { c.s.Appointment.StartsAt = c.n.StartsAt.Add(-time.Second) }, "suppressed: superseded"},
		"the same start in another zone":       {func(_ *testing.T, c *scene) { c.s.Appointment.StartsAt = c.n.StartsAt.In(time.FixedZone("x", 3600)) }, sent},
		"the rule was deleted or switched off": {func(_ *testing.T, c *scene) { c.n.Rule = nil }, "suppressed: superseded"},
		"moved and cancelled: that counts": {func(_ *testing.T, c *scene) {
			c.s.Appointment.Status = schedule.StatusCancelled
			c.s.Appointment.StartsAt = c.n.StartsAt.Add(time.Hour)
		}, "suppressed: cancelled"},
		"the practice's zone does not exist": {func(_ *testing.T, c *scene) { c.s.Practice.TimeZone = "Mars/Olympus" }, "suppressed: bad_zone"},
		"the visit's own zone does not exist: the practice's is used": {
			func(_ *testing.T, c *scene) { c.s.Appointment.TimeZone = "Mars/Olympus" }, sent,
		},
		"the start has passed": {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt.Add(time.Second) }, "expired: past"},
		"the start is now":     {func(_ *testing.T, c *scene) { c.now = c.n.StartsAt }, "expired: past"},
		"cancelled, and over anyway": {func(_ *testing.T, c *scene) {
			c.now, c.s.Appointment.Status = c.n.StartsAt.Add(time.Hour), schedule.StatusCancelled
		}, "suppressed: cancelled"},
	})
}

func TestRulesAnchoredAtTheEndGoForWhatIsOver(t *testing.T) {
	t.Parallel()
	after := func(status schedule.Status) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			hours := 2 * 60
			c.n.Rule.Anchor, c.n.Rule.Minutes = schedule.AnchorEnd, &hours
			c.now = c.s.Appointment.EndsAt.Add(2 * time.Hour)
			c.n.NotAfter = c.now.Add(24 * time.Hour)
			c.s.Appointment.Status = status
		}
	}
	look(t, map[string]looked{
		"completed": {after(schedule.StatusCompleted), sent},
		"arrived":   {after(schedule.StatusArrived), sent},
		"scheduled": {after(schedule.StatusScheduled), sent},
		"missed":    {after(schedule.StatusMissed), "suppressed: status"},
		"cancelled": {after(schedule.StatusCancelled), "suppressed: cancelled"},
		"a day late": {func(t *testing.T, c *scene) {
			t.Helper()
			after(schedule.StatusCompleted)(t, c)
			c.now = c.n.NotAfter
		}, "expired: past"},
	})
}

func TestAnEventsMessageGoesOnlyWhileItIsTrue(t *testing.T) {
	t.Parallel()
	told := func(k kind.Kind, s schedule.Status) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			c.event(k)
			c.s.Appointment.Status = s
		}
	}
	look(t, map[string]looked{
		"booked, and scheduled":                {told(kind.Booked, schedule.StatusScheduled), sent},
		"booked, and requested":                {told(kind.Booked, schedule.StatusRequested), "suppressed: not_confirmed"},
		"booked, and cancelled since":          {told(kind.Booked, schedule.StatusCancelled), "suppressed: cancelled"},
		"booked, and declined since":           {told(kind.Booked, schedule.StatusDeclined), "suppressed: superseded"},
		"confirmed, and missed since":          {told(kind.Confirmed, schedule.StatusMissed), "suppressed: superseded"},
		"cancelled, and so it is":              {told(kind.Cancelled, schedule.StatusCancelled), sent},
		"cancelled, and taken back since":      {told(kind.Cancelled, schedule.StatusScheduled), "suppressed: superseded"},
		"declined, and so it is":               {told(kind.Declined, schedule.StatusDeclined), sent},
		"missed, and so it is":                 {told(kind.Missed, schedule.StatusMissed), sent},
		"missed, and corrected since":          {told(kind.Missed, schedule.StatusCompleted), "suppressed: superseded"},
		"a telehealth link, with a link":       {told(kind.TelehealthLink, schedule.StatusScheduled), sent},
		"a telehealth link, and none any more": {func(_ *testing.T, c *scene) { c.event(kind.TelehealthLink); c.s.Appointment.TelehealthURL = "" }, "suppressed: status"},
		"a cancellation of what is over": {func(_ *testing.T, c *scene) {
			c.event(kind.Cancelled)
			c.s.Appointment.Status, c.now = schedule.StatusCancelled, c.n.StartsAt.Add(time.Minute)
		}, "expired: past"},
		"missed is of use for a day": {func(_ *testing.T, c *scene) {
			c.event(kind.Missed)
			c.s.Appointment.Status, c.now = schedule.StatusMissed, c.n.StartsAt.Add(23*time.Hour)
			c.n.NotAfter = c.n.StartsAt.Add(24 * time.Hour)
		}, sent},
		"the appointment's switch is off":  {func(_ *testing.T, c *scene) { c.event(kind.Booked); c.s.Appointment.Notify = false }, "suppressed: notify_off"},
		"that switch is not for reminders": {func(_ *testing.T, c *scene) { c.s.Appointment.Notify = false }, sent},
	})
}

func TestThePersonIsLookedAtOnceMore(t *testing.T) {
	t.Parallel()
	client := func(change func(*recipients.Client)) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) { change(&c.s.Client) }
	}
	look(t, map[string]looked{
		"archived":                {client(func(c *recipients.Client) { c.Archived = true }), "suppressed: client_archived"},
		"not to be contacted":     {client(func(c *recipients.Client) { c.DoNotContact = true }), "suppressed: do_not_contact"},
		"switched off":            {client(func(c *recipients.Client) { c.ReceivesReminders = false }), "suppressed: flag_off"},
		"without a phone":         {client(func(c *recipients.Client) { c.Phone = "" }), "suppressed: no_address"},
		"with half a phone":       {client(func(c *recipients.Client) { c.Phone = "555" }), "suppressed: invalid_address"},
		"wants e-mail now":        {client(func(c *recipients.Client) { c.Method = "email" }), "suppressed: superseded"},
		"wants both now":          {client(func(c *recipients.Client) { c.Method = "both" }), sent},
		"wants nothing now":       {client(func(c *recipients.Client) { c.Method = "none" }), "suppressed: method_none"},
		"wants calls now":         {client(func(c *recipients.Client) { c.Method = "voice" }), "suppressed: unsupported_method"},
		"wants who knows what":    {client(func(c *recipients.Client) { c.Method = "fax" }), "suppressed: bad_method"},
		"has another number now":  {client(func(c *recipients.Client) { c.Phone = "201-555-0199" }), "send to +12015550199"},
		"the practice has closed": {func(_ *testing.T, c *scene) { c.s.Practice.Active = false }, "suppressed: practice_inactive"},
		"has said STOP": {func(_ *testing.T, c *scene) {
			c.s.OptOuts = []recipients.OptOut{{Channel: recipients.SMS, Address: "201 555 0101"}}
		}, "suppressed: opted_out"},
		"has said STOP to e-mail only": {func(_ *testing.T, c *scene) {
			c.s.OptOuts = []recipients.OptOut{{Channel: recipients.Email, Address: "ann@example.com"}}
		}, sent},
		"has a landline": {func(_ *testing.T, c *scene) {
			c.s.Unusable = []recipients.Unusable{{Channel: recipients.SMS, Address: "+12015550101"}}
		}, "suppressed: invalid_address"},
		"a contact":                 {func(t *testing.T, c *scene) { t.Helper(); c.toMum(t) }, "send to +12015550102"},
		"a contact, unlinked since": {func(t *testing.T, c *scene) { t.Helper(); c.toMum(t); c.s.Contacts = nil }, "suppressed: superseded"},
		"a contact, switched off":   {func(t *testing.T, c *scene) { t.Helper(); c.toMum(t); c.s.Contacts[0].ReceivesReminders = false }, "suppressed: flag_off"},
		"a contact of one archived": {func(t *testing.T, c *scene) { t.Helper(); c.toMum(t); c.s.Client.Archived = true }, "suppressed: client_archived"},
		"the client has mum's number, who was written nothing": {func(_ *testing.T, c *scene) { c.s.Client.Phone = "+12015550102" }, "send to +12015550102"},
		"the client has mum's number, who was written to": {func(_ *testing.T, c *scene) {
			c.s.Client.Phone, c.n.Others = "+12015550102", []string{"mum"}
		}, "suppressed: duplicate"},
		"served by the practice's fallback, and reachable again": {func(t *testing.T, c *scene) {
			t.Helper()
			c.byEmail(t)
			c.s.Practice.ChannelFallback, c.s.Client.Method = true, "sms"
		}, "suppressed: superseded"},
		"served by the practice's fallback": {func(t *testing.T, c *scene) {
			t.Helper()
			c.byEmail(t)
			c.s.Practice.ChannelFallback, c.s.Client.Method, c.s.Client.Phone = true, "sms", ""
		}, "send to ann@example.com"},
	})
}

// What waits does not move to the other channel; it says what is wrong with its
// own, whatever the other one lacks.
func TestWhereThePracticeFallsBackTheReasonIsThatOfTheMessagesOwnChannel(t *testing.T) {
	t.Parallel()
	const sms, email = recipients.SMS, recipients.Email
	falling := func(change func(*scene)) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			c.s.Practice.ChannelFallback = true
			change(c)
		}
	}
	byEmail := func(change func(*scene)) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) {
			t.Helper()
			c.byEmail(t)
			c.s.Practice.ChannelFallback, c.s.Client.Method, c.s.Client.Phone = true, "sms", ""
			change(c)
		}
	}
	stop := func(c *scene, on recipients.Channel, address string) {
		c.s.OptOuts = append(c.s.OptOuts, recipients.OptOut{Channel: on, Address: address})
	}
	bad := func(c *scene, on recipients.Channel, address string) {
		c.s.Unusable = append(c.s.Unusable, recipients.Unusable{Channel: on, Address: address})
	}
	look(t, map[string]looked{
		"STOP":                           {falling(func(c *scene) { stop(c, sms, "+12015550101") }), "suppressed: opted_out"},
		"STOP, and no e-mail":            {falling(func(c *scene) { stop(c, sms, "+12015550101"); c.s.Client.Email = "" }), "suppressed: opted_out"},
		"STOP, and a wish for e-mail":    {falling(func(c *scene) { stop(c, sms, "+12015550101"); c.s.Client.Method = "email" }), "suppressed: opted_out"},
		"found to be no number":          {falling(func(c *scene) { bad(c, sms, "+12015550101") }), "suppressed: invalid_address"},
		"the number is gone":             {falling(func(c *scene) { c.s.Client.Phone = "" }), "suppressed: no_address"},
		"a wish for e-mail":              {falling(func(c *scene) { c.s.Client.Method = "email" }), "suppressed: superseded"},
		"a wish for nothing":             {falling(func(c *scene) { c.s.Client.Method = "none" }), "suppressed: method_none"},
		"switched off":                   {falling(func(c *scene) { c.s.Client.ReceivesReminders = false }), "suppressed: flag_off"},
		"nothing":                        {falling(func(*scene) {}), sent},
		"on the other channel, and STOP": {byEmail(func(c *scene) { stop(c, email, "ann@example.com") }), "suppressed: opted_out"},
		"on the other channel, found to be no address": {byEmail(func(c *scene) { bad(c, email, "ann@example.com") }), "suppressed: invalid_address"},
	})
}

func TestANoticeIsLookedAtOnceMore(t *testing.T) {
	t.Parallel()
	notice := func(k kind.Kind, change func(*scene)) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) {
			t.Helper()
			c.event(k)
			c.toMum(t)
			c.n.AppointmentID, c.n.StartsAt, c.s.Appointment = "", time.Time{}, nil
			c.s.Contacts[0].PortalAccess, c.s.Contacts[0].CanMessage = true, true
			change(c)
		}
	}
	const toMum = "send to +12015550102"
	look(t, map[string]looked{
		"to a contact":                       {notice(kind.PortalMessage, func(*scene) {}), toMum},
		"the right was taken away":           {notice(kind.PortalMessage, func(c *scene) { c.s.Contacts[0].CanMessage = false }), "suppressed: flag_off"},
		"the contact was unlinked":           {notice(kind.PortalMessage, func(c *scene) { c.s.Contacts = nil }), "suppressed: superseded"},
		"the client was archived":            {notice(kind.FormSent, func(c *scene) { c.s.Client.Archived = true }), "suppressed: client_archived"},
		"the window does not count":          {notice(kind.FormSent, func(c *scene) { c.now = c.now.Add(9 * time.Hour) }), toMum},
		"the practice's zone does not exist": {notice(kind.FormSent, func(c *scene) { c.s.Practice.TimeZone = "Mars/Olympus" }), toMum},
		"of no use any more":                 {notice(kind.FormSent, func(c *scene) { c.now = c.n.NotAfter }), "expired: past"},
		"it names an appointment":            {notice(kind.FormSent, func(c *scene) { c.n.AppointmentID = "a" }), toMum},
	})
}

func TestAnSMSOfARuleKeepsToTheWindow(t *testing.T) {
	t.Parallel()
	visit := func(starts, now string) func(*testing.T, *scene) {
		return func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, starts, now)
		}
	}
	look(t, map[string]looked{
		"at the opening":                       {visit("2026-12-10T15:00:00-05:00", "2026-12-10T08:00:00-05:00"), sent},
		"a second before the opening":          {visit("2026-12-10T15:00:00-05:00", "2026-12-10T07:59:59-05:00"), "wait until 2026-12-10T13:00:00Z"},
		"a second before the closing":          {visit("2026-12-11T15:00:00-05:00", "2026-12-10T20:59:59-05:00"), sent},
		"the closing minute is outside":        {visit("2026-12-11T15:00:00-05:00", "2026-12-10T21:00:00-05:00"), "wait until 2026-12-11T13:00:00Z"},
		"an hour is left after the opening":    {visit("2026-12-11T09:00:00-05:00", "2026-12-10T22:00:00-05:00"), "wait until 2026-12-11T13:00:00Z"},
		"a second less than an hour is left":   {visit("2026-12-11T08:59:59-05:00", "2026-12-10T22:00:00-05:00"), "suppressed: quiet_hours"},
		"clocks go back in the night":          {visit("2026-11-01T15:00:00-05:00", "2026-10-31T23:00:00-04:00"), "wait until 2026-11-01T13:00:00Z"},
		"clocks went back an hour ago":         {visit("2026-11-01T15:00:00-05:00", "2026-11-01T01:30:00-05:00"), "wait until 2026-11-01T13:00:00Z"},
		"clocks go forward in the night":       {visit("2026-03-08T15:00:00-04:00", "2026-03-07T23:00:00-05:00"), "wait until 2026-03-08T12:00:00Z"},
		"the hour is counted on the new clock": {visit("2026-03-08T09:00:00-04:00", "2026-03-07T23:00:00-05:00"), "wait until 2026-03-08T12:00:00Z"},
		"the recipient's own zone counts": {func(_ *testing.T, c *scene) {
			c.s.Client.TimeZone, c.now = "America/Los_Angeles", c.n.StartsAt.Add(-5*time.Hour) // 7 there, 10 here
		}, "wait until 2026-12-10T16:00:00Z"},
		"a zone of theirs that does not exist: the practice's": {func(_ *testing.T, c *scene) {
			c.s.Client.TimeZone, c.now = "Mars/Olympus", c.n.StartsAt.Add(-5*time.Hour)
		}, sent},
		"no window": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T15:00:00-05:00", "2026-12-10T03:00:00-05:00")
			c.s.Practice.SMSWindow = schedule.Window{}
		}, sent},
		"e-mail goes at any hour": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T15:00:00-05:00", "2026-12-10T03:00:00-05:00")
			c.byEmail(t)
		}, "send to ann@example.com"},
		"a confirmation goes at any hour": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T15:00:00-05:00", "2026-12-10T03:00:00-05:00")
			c.event(kind.Booked)
		}, sent},
		"cancelled counts before the window": {func(t *testing.T, c *scene) {
			t.Helper()
			c.start(t, "2026-12-10T15:00:00-05:00", "2026-12-10T03:00:00-05:00")
			c.s.Appointment.Status = schedule.StatusCancelled
		}, "suppressed: cancelled"},
	})
}

func TestTheTextIsThePracticesOwnOrTheBuiltIn(t *testing.T) {
	t.Parallel()
	own := func(body string) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			c.rows = []row{{ID: "t", PracticeID: "p", Name: c.n.Template, Channel: "sms", Audience: "any", Locale: "en", Body: body, Version: 7}}
		}
	}
	cases := map[string]struct {
		found func(*testing.T, *scene)
		want  deliver.Text
	}{
		"the practice's own": {own("See you, [RecipientFirstName]."), deliver.Text{
			Name: "Ann Lee", ReplyTo: "desk@elm.example.com", Body: "See you, Ann.", Version: 7, Segments: 1,
		}},
		"two segments of it": {own(strings.Repeat("x", 161)), deliver.Text{
			Name: "Ann Lee", ReplyTo: "desk@elm.example.com", Body: strings.Repeat("x", 161), Version: 7, Segments: 2,
		}},
		"the text of the first attempt": {func(t *testing.T, c *scene) {
			t.Helper()
			own("Another text.")(t, c)
			c.n.Fixed = &deliver.Text{Name: "Anne Lee", ReplyTo: "old@elm.example.com", Body: "The first.", Version: 6, Segments: 1}
		}, deliver.Text{Name: "Anne Lee", ReplyTo: "old@elm.example.com", Body: "The first.", Version: 6, Segments: 1}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reminder(t)
			c.found(t, s)
			r := s.ruling()
			if r.Send == nil {
				t.Fatalf("%s: %v", verdict(r), r.Problem)
			}
			if diff := cmp.Diff(c.want, r.Send.Text); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("the built-in", func(t *testing.T) {
		t.Parallel()
		r := reminder(t).ruling()
		if r.Send == nil || !strings.Contains(r.Send.Text.Body, "December 10") || r.Send.Text.Segments == 0 || r.Send.Text.HTML != "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestAMessageBearsWhatTheLedgerSaysOfIt(t *testing.T) {
	t.Parallel()
	s := reminder(t)
	s.toMum(t)
	r := s.ruling()
	if r.Send == nil {
		t.Fatal(verdict(r))
	}
	r.Send.Text = deliver.Text{}
	want := deliver.Message{
		NotificationID: "n", PracticeID: "p", ClientID: "ann", ContactID: "mum", AppointmentID: "a",
		Kind: kind.Reminder, Channel: recipients.SMS, To: address(t, recipients.SMS, "+12015550102"), ExpiresAt: s.n.NotAfter,
	}
	if diff := cmp.Diff(want, *r.Send, cmp.Comparer(func(a, b recipients.Address) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARepeatGoesWhereTheFirstAttemptWent(t *testing.T) {
	t.Parallel()
	again := func(change func(*scene)) func(*testing.T, *scene) {
		return func(_ *testing.T, c *scene) {
			c.n.Fixed = &deliver.Text{Body: "The first."}
			c.s.Client.Phone = "+12015550199"
			change(c)
		}
	}
	look(t, map[string]looked{
		"the number has changed since": {again(func(*scene) {}), sent},
		"its old number has said STOP": {again(func(c *scene) {
			c.s.OptOuts = []recipients.OptOut{{Channel: recipients.SMS, Address: "+12015550101"}}
		}), "suppressed: opted_out"},
		"its old number is a landline": {again(func(c *scene) {
			c.s.Unusable = []recipients.Unusable{{Channel: recipients.SMS, Address: "+12015550101"}}
		}), "suppressed: invalid_address"},
		"cancelled since":    {again(func(c *scene) { c.s.Appointment.Status = schedule.StatusCancelled }), "suppressed: cancelled"},
		"switched off since": {again(func(c *scene) { c.s.Client.ReceivesReminders = false }), "suppressed: flag_off"},
	})
}

func TestATextThatCannotBeWrittenIsNotSent(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body, want string
	}{
		"an unknown placeholder":       {"Dear [RecipientFistName]", "suppressed: bad_template"},
		"a section that is not closed": {"[If TelehealthLink]Join", "suppressed: bad_template"},
		"nothing is left":              {"[If LocationName]At [LocationName][End] ", "suppressed: empty_body"},
		"nothing was there":            {"", "suppressed: empty_body"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reminder(t)
			s.rows = []row{{ID: "t-1", PracticeID: "p", Name: s.n.Template, Channel: "sms", Audience: "any", Locale: "en", Body: c.body}}
			r := s.ruling()
			if got := verdict(r); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if r.Problem == nil || !strings.Contains(r.Problem.Error(), "t-1") {
				t.Errorf("problem %v does not name the template", r.Problem)
			}
		})
	}
	t.Run("a template of the rule that is not there", func(t *testing.T) {
		t.Parallel()
		s := reminder(t)
		s.n.Template = "our own"
		r := s.ruling()
		if got := verdict(r); got != "suppressed: bad_template" || r.Problem == nil {
			t.Errorf("got %s, problem %v", got, r.Problem)
		}
	})
}
