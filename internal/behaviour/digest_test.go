package behaviour_test

import (
	"testing"
	"time"
)

// family is Mary, whose two children are clients of a practice that reminds a
// family in one message, a day before each visit.
type family struct {
	*world

	cleo, dan, mary string
	rule            string
}

func newFamily(t *testing.T) *family {
	t.Helper()
	f := &family{world: newWorld(t, monday)}
	f.meet()
	return f
}

// meet has the practice know the family.
func (f *family) meet() {
	f.t.Helper()
	f.update("practices", f.practice, "family_digest = true")
	f.rule = f.world.rule(row{"offset_minutes": -24 * hour})
	f.cleo, f.dan = f.client("Cleo", nil), f.client("Dan", nil)
	f.mary = f.contact(f.cleo, "Mary", row{"phone": "+12015550102"}, nil)
	f.link(f.dan, f.mary, nil)
}

// On the day before their visits.
const (
	quarterPastTwo = "2026-12-09T14:15:00-05:00"
	halfPastTwo    = "2026-12-09T14:30:00-05:00"
	three          = "2026-12-09T15:00:00-05:00"
)

// visits are Cleo's at quarter past two, and Dan's at half past two.
func (f *family) visits() (cleos, dans string) {
	f.t.Helper()
	dans = f.longBooked(f.dan, "2026-12-10T14:30:00-05:00")
	return f.longBooked(f.cleo, "2026-12-10T14:15:00-05:00"), dans
}

const both = "sms +12015550102: Reminder of the appointments with Elm Street Practice:\n" +
	"Cleo: Thursday, December 10, 2026, 2:15 PM\nDan: Thursday, December 10, 2026, 2:30 PM"

func TestAFamilyIsRemindedOfAnHoursVisitsInOneMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	cleos, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	f.at(halfPastTwo)
	f.expect()
	f.expectDecision("appointment.reminder", cleos, "notify", "client Cleo by sms: no_address", "contact Mary by sms: send")
	f.expectDecision("appointment.reminder", dans, "notify", "client Dan by sms: no_address", "contact Mary by sms: send")
	f.expectLedger("appointment.reminder to Mary by sms: sent", "appointment.reminder to Mary by sms: sent")
	f.together(cleos, dans)
	f.expectClosed(2)
}

// together fails the test unless the reminders of both visits went in one
// message, under the id of one of them.
func (f *family) together(a, b string) {
	f.t.Helper()
	f.settle()
	got := f.value(`SELECT concat_ws(' ', count(*), count(DISTINCT message_id), count(DISTINCT sent_with), count(*) FILTER (WHERE sent_with = id))
		FROM rappel.notifications WHERE appointment_id = ANY ($1) AND message_id IS NOT NULL`, []string{a, b})
	if got != "2 1 1 1" {
		f.t.Errorf("notifications, messages, keys, keys that are an id: %s", got)
	}
}

func TestAReminderThatIsAloneInItsHourGoesWhenItIsDue(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.longBooked(f.cleo, "2026-12-10T14:15:00-05:00")
	f.longBooked(f.dan, "2026-12-10T15:00:00-05:00") // in the next hour
	f.at("2026-12-09T14:00:00-05:00")
	f.expect()
	f.at(quarterPastTwo)
	f.expect("sms +12015550102: Reminder: the appointment for Cleo with Elm Street Practice is on Thursday, December 10, 2026 at 2:15 PM.")
	f.at("2026-12-09T14:59:00-05:00")
	f.expect()
	f.at(three)
	f.expect("sms +12015550102: for Dan")
}

func TestWithoutTheSwitchEachChildHasAMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.update("practices", f.practice, "family_digest = false")
	f.visits()
	f.at(quarterPastTwo)
	f.expect("sms +12015550102: for Cleo")
	f.at(halfPastTwo)
	f.expect("sms +12015550102: for Dan")
}

func TestOnlyWhoIsTheSameGetsOneMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.contact(f.dan, "Frank", row{"phone": "+12015550103"}, row{"position": 1})
	emil := f.client("Emil", row{"phone": "+12015550104"})
	f.visits()
	f.longBooked(emil, "2026-12-10T14:30:00-05:00")
	f.at(quarterPastTwo)
	f.expect(both)
	f.at(halfPastTwo)
	f.expect("sms +12015550103: for Dan", "sms +12015550104: your appointment")
}

func TestSiblingsOfOneMomentAreListedByNameAndOnePersonTwice(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.longBooked(f.dan, "2026-12-10T14:15:00-05:00")
	f.longBooked(f.cleo, "2026-12-10T14:15:00-05:00")
	f.longBooked(f.cleo, "2026-12-10T14:45:00-05:00")
	f.at(quarterPastTwo)
	f.expect("sms +12015550102: Practice:\nCleo: Thursday, December 10, 2026, 2:15 PM\nDan: Thursday, December 10, 2026, 2:15 PM\nCleo: Thursday, December 10, 2026, 2:45 PM")
}

func TestWhatWaitsForTheWindowGoesTogether(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.longBooked(f.cleo, "2026-12-10T23:00:00-05:00") // due at eleven at night: waits until eight
	f.longBooked(f.dan, "2026-12-11T08:20:00-05:00")
	f.at("2026-12-09T23:00:00-05:00")
	f.expect()
	f.at("2026-12-10T07:59:00-05:00")
	f.expect()
	f.wait(time.Minute)
	f.expect("sms +12015550102: Cleo: Thursday, December 10, 2026, 11:00 PM\nDan: Friday, December 11, 2026, 8:20 AM")
	f.at("2026-12-10T08:20:00-05:00")
	f.expect()
}

func TestEmailAndSMSAreJoinedEachForItself(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.exec("UPDATE rappel.clients SET preferred_method = 'both'")
	f.update("contacts", f.mary, "email = 'mary@example.com'")
	f.visits()
	f.at(quarterPastTwo)
	f.expect(both, "email mary@example.com: Reminder: appointments with Elm Street Practice")
	f.expectLedger("appointment.reminder to Mary by email: sent", "appointment.reminder to Mary by email: sent",
		"appointment.reminder to Mary by sms: sent", "appointment.reminder to Mary by sms: sent")
}

func TestTheFamilysTextIsThePractices(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.text("appointment.reminder_family", "Hello [RecipientFirstName]! [Visits]")
	f.visits()
	f.at(quarterPastTwo)
	f.expect("sms +12015550102: Hello Mary! Cleo: Thursday")
}

func TestWhereTheFamilysTextIsOfNoUseEachGoesAlone(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.text("appointment.reminder_family", "Hello [Nobody]")
	f.visits()
	f.at(quarterPastTwo)
	f.expect("sms +12015550102: for Cleo", "sms +12015550102: for Dan")
}

func TestACancelledVisitDropsOutAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(f *family, cleos, dans string)
		ledger string
	}{
		"cancelled": {func(f *family, _, dans string) { f.change(dans, "status = 'cancelled'") }, "suppressed, cancelled"},
		"moved":     {func(f *family, _, dans string) { f.change(dans, "starts_at = starts_at + interval '1 day'") }, "suppressed, superseded"},
		"switched off": {func(f *family, _, _ string) {
			f.exec("UPDATE rappel.client_contacts SET receives_reminders = false WHERE client_id = $1", f.dan)
		}, "suppressed, flag_off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t)
			cleos, dans := f.visits()
			f.clock.set(instant(t, "2026-12-09T13:58:00-05:00"))
			f.sweep() // both are planned, none is due
			f.expectLedger("appointment.reminder to Mary by sms: pending", "appointment.reminder to Mary by sms: pending")
			c.change(f, cleos, dans)
			f.wait(17 * time.Minute)
			f.expect("sms +12015550102: the appointment for Cleo with")
			f.expectLedger("appointment.reminder to Mary by sms: sent", "appointment.reminder to Mary by sms: pending") // until its own time
			f.at(halfPastTwo)
			f.expectLedger("appointment.reminder to Mary by sms: sent", "appointment.reminder to Mary by sms: "+c.ledger)
		})
	}
}

func TestAfterARefusalForNowTheFamilysMessageIsTheSame(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	cleos, dans := f.visits()
	f.at(quarterPastTwo)
	f.expect()
	f.update("clients", f.cleo, "first_name = 'Chloe'")
	f.pass(time.Minute)
	f.expect(both)
	f.together(cleos, dans)
	f.oneKey()
	f.expectClosed(2)
}

// oneKey fails the test unless all tries had the same key.
func (f *family) oneKey() {
	f.t.Helper()
	keys := map[string]bool{}
	for _, try := range f.inbox.tried() {
		keys[try.key] = true
	}
	if len(keys) != 1 {
		f.t.Errorf("keys: %v", keys)
	}
}

func TestWhatDropsOutBetweenTwoTriesIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancelled func(cleos, dans string) string
		want      string
	}{
		"the first":  {func(cleos, _ string) string { return cleos }, "sms +12015550102: the appointment for Dan with"},
		"the second": {func(_, dans string) string { return dans }, "sms +12015550102: the appointment for Cleo with"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFamily(t)
			f.inbox.answers(answer{status: 503}, answer{status: 503})
			cleos, dans := f.visits()
			f.at(quarterPastTwo)
			f.expect()
			f.change(c.cancelled(cleos, dans), "status = 'cancelled'")
			f.pass(time.Minute)
			f.expect()
			f.pass(10 * time.Minute)
			f.expect(c.want)
			f.oneKey()
			f.expectLedger("appointment.reminder to Mary by sms: sent", "appointment.reminder to Mary by sms: suppressed, cancelled")
			f.expectClosed(2)
		})
	}
}

func TestOfThreeTwoGoOnTogether(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 503})
	eva := f.client("Eva", nil)
	f.link(eva, f.mary, nil)
	cleos, dans := f.visits()
	f.longBooked(eva, "2026-12-10T14:45:00-05:00")
	f.at(quarterPastTwo)
	f.expect()
	f.change(cleos, "status = 'cancelled'")
	f.pass(time.Minute)
	f.expect("sms +12015550102: Practice:\nDan: Thursday, December 10, 2026, 2:30 PM\nEva: Thursday, December 10, 2026, 2:45 PM")
	f.oneKey()
	f.change(dans, "status = 'cancelled'")
	f.pass(time.Hour)
	f.expect()
}

func TestAFamilysRefusalIsEverybodys(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.inbox.answers(answer{status: 422, body: `{"code":"landline"}`})
	f.visits()
	f.at(quarterPastTwo)
	f.expect()
	f.expectLedger("appointment.reminder to Mary by sms: failed, refused", "appointment.reminder to Mary by sms: failed, refused")
}

func TestAFamilyOfAnotherHourStartsAnew(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.visits()
	f.at(quarterPastTwo)
	f.expect(both)
	f.longBooked(f.cleo, "2026-12-10T14:40:00-05:00")
	f.longBooked(f.dan, "2026-12-10T14:50:00-05:00")
	f.at("2026-12-09T14:40:00-05:00")
	f.expect("sms +12015550102: Cleo: Thursday, December 10, 2026, 2:40 PM\nDan: Thursday, December 10, 2026, 2:50 PM")
}

func TestTheForecastKnowsWhatGoesTogether(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.visits()
	f.clock.set(instant(t, "2026-12-09T12:00:00-05:00"))
	cleos, dans := "12-09 19:15 sms to Mary", "12-09 19:15 sms to Mary"
	f.same(f.foresee(), "12-09 19:15 sms to Cleo [no_address]", cleos, dans, "12-09 19:30 sms to Dan [no_address]")
	f.same(f.foreseeSpan(instant(t, "2026-12-09T14:20:00-05:00"), instant(t, three)), "12-09 19:30 sms to Dan [no_address]")
	f.clock.set(instant(t, "2026-12-09T13:59:00-05:00"))
	f.sweep()
	f.same(f.foresee())
	f.at(quarterPastTwo)
	f.expect(both)
}

func TestBothNightsOfTheYearAFamilyGetsOneMessage(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	f.update("practices", f.practice, "sms_opens = NULL, sms_closes = NULL")
	// A day before by the clock; the hour from one to two comes twice on November
	// 7 of 2027, and that from two to three not at all on March 14.
	f.update("rules", f.rule, "offset_minutes = NULL, offset_days = -1")
	for _, night := range []struct{ cleos, dans, due, want string }{
		{
			"2027-03-15T02:30:00-04:00", "2027-03-15T03:45:00-04:00", "2027-03-14T03:30:00-04:00",
			"Cleo: Monday, March 15, 2027, 2:30 AM\nDan: Monday, March 15, 2027, 3:45 AM",
		},
		{
			"2027-11-08T01:15:00-05:00", "2027-11-08T01:45:00-05:00", "2027-11-07T01:15:00-04:00",
			"Cleo: Monday, November 8, 2027, 1:15 AM\nDan: Monday, November 8, 2027, 1:45 AM",
		},
	} {
		f.longBooked(f.cleo, night.cleos)
		f.longBooked(f.dan, night.dans)
		f.at(night.due)
		f.expect("sms +12015550102: " + night.want)
		f.pass(3 * time.Hour)
		f.expect()
	}
}
