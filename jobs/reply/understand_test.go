package reply_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rappel/internal/kind"
	"rappel/internal/schedule"
	"rappel/jobs/reply"
	"rappel/recipients"
)

// noon is when people write in these tests: a Saturday.
func noon() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

func number() recipients.Address {
	a, err := recipients.ParsePhone("+12015550101", "")
	if err != nil {
		panic(err)
	}
	return a
}

func inbound(text string) reply.Inbound {
	return reply.Inbound{CarrierID: "SM1", From: number(), Text: reply.WordsOf(text), ReceivedAt: noon()}
}

// reminder is one of practice "elm" about tomorrow's visit.
func reminder(notification, appointment string, changes ...func(*reply.Sent)) reply.Sent {
	s := reply.Sent{
		NotificationID: notification, PracticeID: "elm", AppointmentID: appointment, Kind: kind.Reminder,
		StartsAt: noon().AddDate(0, 0, 1), VisitStartsAt: noon().AddDate(0, 0, 1), VisitStatus: schedule.StatusScheduled,
	}
	for _, change := range changes {
		change(&s)
	}
	return s
}

func of(k kind.Kind) func(*reply.Sent) { return func(s *reply.Sent) { s.Kind = k } }

func oak(s *reply.Sent) { s.PracticeID = "oak" }

func now(status schedule.Status) func(*reply.Sent) {
	return func(s *reply.Sent) { s.VisitStatus = status }
}

func movedBy(d time.Duration) func(*reply.Sent) {
	return func(s *reply.Sent) { s.VisitStartsAt = s.VisitStartsAt.Add(d) }
}

func startingAt(at time.Time) func(*reply.Sent) {
	return func(s *reply.Sent) { s.StartsAt, s.VisitStartsAt = at, at }
}

func gone(s *reply.Sent) { s.VisitStartsAt, s.VisitStatus = time.Time{}, "" }

func notice(s *reply.Sent) {
	*s = reply.Sent{NotificationID: s.NotificationID, PracticeID: s.PracticeID, Kind: kind.InvoiceIssued}
}

// A result is what is understood: the meaning, and what it is about.
type result struct {
	Meaning                reply.Meaning
	Practice, Notification string
	Appointments, Scope    []string
}

func understood(in reply.Inbound, sent []reply.Sent) result {
	r := reply.Understand(in, sent)
	return result{r.Meaning, r.PracticeID, r.NotificationID, r.AppointmentIDs, r.Scope}
}

func TestWhatAReplyIsAbout(t *testing.T) {
	t.Parallel()
	about := func(m reply.Meaning, notification string, appointments ...string) result {
		return result{Meaning: m, Practice: "elm", Notification: notification, Appointments: appointments}
	}
	cases := map[string]struct {
		text string
		sent []reply.Sent // the newest first
		want result
	}{
		"C confirms the one reminder": {"C", []reply.Sent{reminder("n1", "a1")}, about(reply.Confirm, "n1", "a1")},
		"1 does so, too":              {"1", []reply.Sent{reminder("n1", "a1")}, about(reply.Confirm, "n1", "a1")},
		"one confirmed already is confirmed again": {
			"c", []reply.Sent{reminder("n1", "a1", now(schedule.StatusConfirmed))}, about(reply.Confirm, "n1", "a1"),
		},
		"two reminders of one visit are one": {
			"C", []reply.Sent{reminder("n2", "a1"), reminder("n1", "a1")}, about(reply.Confirm, "n2", "a1"),
		},
		"of two children it is for staff, with both": {
			"C", []reply.Sent{reminder("n2", "a2"), reminder("n1", "a1")}, about(reply.Other, "n2", "a2", "a1"),
		},
		"of two practices, too": {
			"C",
			[]reply.Sent{reminder("n2", "a2", oak), reminder("n1", "a1")},
			result{Meaning: reply.Other, Practice: "oak", Notification: "n2", Appointments: []string{"a2", "a1"}},
		},
		"of two, one of which was cancelled, it is the other": {
			"C", []reply.Sent{reminder("n2", "a2", now(schedule.StatusCancelled)), reminder("n1", "a1")}, about(reply.Confirm, "n1", "a1"),
		},
		"the reminder is confirmed though something else came since": {
			"C",
			[]reply.Sent{reminder("n3", "", notice, oak), reminder("n2", "a2", of(kind.Booked)), reminder("n1", "a1")},
			about(reply.Confirm, "n1", "a1"),
		},
		"a booking asks for no confirmation": {
			"C", []reply.Sent{reminder("n1", "a1", of(kind.Booked))}, about(reply.Other, "n1", "a1"),
		},
		"a scheduled message neither": {
			"C", []reply.Sent{reminder("n1", "a1", of(kind.Scheduled))}, about(reply.Other, "n1", "a1"),
		},
		"a notice is about no visit": {"C", []reply.Sent{reminder("n1", "", notice)}, about(reply.Other, "n1")},
		"a visit moved since":        {"C", []reply.Sent{reminder("n1", "a1", movedBy(time.Hour))}, about(reply.Other, "n1", "a1")},
		"a visit that has begun":     {"C", []reply.Sent{reminder("n1", "a1", startingAt(noon()))}, about(reply.Other, "n1", "a1")},
		"a visit about to begin": {
			"C", []reply.Sent{reminder("n1", "a1", startingAt(noon().Add(time.Microsecond)))}, about(reply.Confirm, "n1", "a1"),
		},
		"a visit in another zone's words": {
			"C",
			[]reply.Sent{reminder("n1", "a1", func(s *reply.Sent) { s.StartsAt = s.StartsAt.In(time.FixedZone("", 3600)) })},
			about(reply.Confirm, "n1", "a1"),
		},
		"a visit that is gone":       {"C", []reply.Sent{reminder("n1", "a1", gone)}, about(reply.Other, "n1", "a1")},
		"a visit only requested":     {"C", []reply.Sent{reminder("n1", "a1", now(schedule.StatusRequested))}, about(reply.Other, "n1", "a1")},
		"nothing was sent":           {"1", nil, result{Meaning: reply.Other}},
		"words belong to the newest": {"Late!", []reply.Sent{reminder("n2", "a2", of(kind.Booked)), reminder("n1", "a1")}, about(reply.Other, "n2", "a2")},
		"words to two reminders name both": {
			"Late!", []reply.Sent{reminder("n2", "a2"), reminder("n1", "a1")}, about(reply.Other, "n2", "a2", "a1"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, understood(inbound(c.text), c.sent)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhomASTOPBinds(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		sent []reply.Sent
		want result
	}{
		"all, where nobody wrote": {nil, result{}},
		"the practice that wrote": {
			[]reply.Sent{reminder("n1", "a1")},
			result{Practice: "elm", Notification: "n1", Appointments: []string{"a1"}, Scope: []string{"elm"}},
		},
		"each that wrote, once": {
			[]reply.Sent{reminder("n3", "", notice, oak), reminder("n2", "a2"), reminder("n1", "a1", oak)},
			result{Practice: "oak", Notification: "n3", Scope: []string{"oak", "elm"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for text, meaning := range map[string]reply.Meaning{"STOP": reply.OptOut, "cancel": reply.OptOut, "START": reply.OptIn} {
				want := c.want
				if want.Meaning = meaning; meaning == reply.OptIn {
					want.Scope = nil // it lifts what the number's own STOP caused, whoever that bound
				}
				if diff := cmp.Diff(want, understood(inbound(text), c.sent)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", text, diff)
				}
			}
		})
	}
}

func TestAYESIsAStartWhereTheNumberHadStopped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reply.Meaning{
		"YES": reply.OptIn, "yes.": reply.OptIn, "Y": reply.Confirm, "OK": reply.Confirm, "C": reply.Confirm,
		"START": reply.OptIn, "STOP": reply.OptOut, "yes please": reply.Other,
	} {
		in := inbound(text)
		in.Stopped = true
		if got := reply.Understand(in, []reply.Sent{reminder("n1", "a1")}); got.Meaning != want {
			t.Errorf("%s from a number that had stopped: %s, want %s", text, got.Meaning, want)
		}
	}
	for _, sent := range [][]reply.Sent{nil, {reminder("n1", "a1", of(kind.Booked))}, {reminder("n2", "a2"), reminder("n1", "a1")}} {
		if got := reply.Understand(inbound("YES"), sent); got.Meaning != reply.Other {
			t.Errorf("YES from a number that had not, to %d: %s", len(sent), got.Meaning)
		}
	}
}

func TestACallForHelpIsAboutWhatWasSent(t *testing.T) {
	t.Parallel()
	want := result{Meaning: reply.Help, Practice: "elm", Notification: "n2", Appointments: []string{"a2", "a1"}}
	if diff := cmp.Diff(want, understood(inbound("Help"), []reply.Sent{reminder("n2", "a2"), reminder("n1", "a1")})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(result{Meaning: reply.Help}, understood(inbound("Help"), nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatTheCarrierTookItForCounts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text     string
		takenFor reply.Meaning
		want     reply.Meaning
	}{
		"a word of the account's own":   {"arret", reply.OptOut, reply.OptOut},
		"another to go on":              {"reprise", reply.OptIn, reply.OptIn},
		"a call for help":               {"HELP", reply.Help, reply.Help},
		"a call for help by number":     {"1", reply.Help, reply.Help},
		"it says nothing":               {"1", "", reply.Confirm},
		"its STOP counts more than a C": {"c", reply.OptOut, reply.OptOut},
		"a STOP that it takes for one":  {"stop", reply.OptOut, reply.OptOut},
		"a STOP is heard in any case":   {"stop", reply.OptIn, reply.OptOut},
		"its STOP is heard in any case": {"start", reply.OptOut, reply.OptOut},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := inbound(c.text)
			in.TakenFor = c.takenFor
			if got := reply.Understand(in, []reply.Sent{reminder("n1", "a1")}); got.Meaning != c.want {
				t.Errorf("%s, want %s", got.Meaning, c.want)
			}
		})
	}
}

func TestUnderstandingChangesNothingOfWhatWasSent(t *testing.T) {
	t.Parallel()
	sent := []reply.Sent{reminder("n2", "a2"), reminder("n1", "a1")}
	before := slices.Clone(sent)
	r := reply.Understand(inbound("C"), sent)
	r.AppointmentIDs[0] = "changed"
	if diff := cmp.Diff(before, sent); diff != "" {
		t.Error(diff)
	}
	if r.CarrierID != "SM1" || r.From != number() || r.Text.Reveal() != "C" || !r.ReceivedAt.Equal(noon()) {
		t.Errorf("the message itself is lost: %+v", r)
	}
}
