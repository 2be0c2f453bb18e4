package behaviour_test

import "testing"

const (
	thursday = "2026-12-10T15:00:00-05:00" // of most visits: three in the afternoon in New York
	friday   = "2026-12-11T15:00:00-05:00"
)

func TestAChildWithoutAnAddressIsReachedThroughHerMother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	cleo := w.client("Cleo", nil)
	w.contact(cleo, "Mary", row{"phone": "+12015550102"}, nil)
	visit := w.book(cleo, thursday)
	w.expect("sms +12015550102: The appointment for Cleo with Elm Street Practice on Thursday, December 10, 2026 at 3:00 PM is booked.")
	w.expectDecision("appointment.booked", visit, "notify", "client Cleo by sms: no_address", "contact Mary by sms: send")
}

func TestAMotherOfTwoChildrenHearsOfEachByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	cleo, dan := w.client("Cleo", nil), w.client("Dan", nil)
	mary := w.contact(cleo, "Mary", row{"phone": "+12015550102"}, nil)
	w.link(dan, mary, nil)
	w.book(cleo, thursday)
	w.book(dan, thursday)
	w.expect("sms +12015550102: for Cleo", "sms +12015550102: for Dan")
}

func TestAFatherWithRemindersOffIsStillToldOfBookings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	cleo := w.client("Cleo", row{"phone": "+12015550101"})
	w.contact(cleo, "Frank", row{"phone": "+12015550103"}, row{"receives_reminders": false})
	visit := w.book(cleo, thursday)
	w.expect("sms +12015550101: is booked", "sms +12015550103: for Cleo")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
	w.expectDecision("appointment.reminder", visit, "notify", "client Cleo by sms: send", "contact Frank by sms: flag_off")
}

func TestAClientCanBeSwitchedOffLikeAnyContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "receives_confirmations": false})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
	w.book(ann, thursday)
	w.expect("sms +12015550102: for Ann")
}

func TestThePreferredMethodIsTheClientsForEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for method, number := range map[string]string{"email": "1", "sms": "2", "both": "3", "none": "4", "voice": "5", "fax": "6", "BOTH": "7"} {
		client := w.client("Client"+number, row{"preferred_method": method, "phone": "+1201555011" + number, "email": "client" + number + "@example.com"})
		w.contact(client, "Contact"+number, row{"phone": "+1201555012" + number, "email": "contact" + number + "@example.com"}, nil)
		w.book(client, thursday)
	}
	w.expect(
		"email client1@example.com: Your appointment", "email contact1@example.com: Client1",
		"sms +12015550112: Your appointment", "sms +12015550122: Client2",
		"email client3@example.com: Your appointment", "email contact3@example.com: Client3",
		"sms +12015550113: Your appointment", "sms +12015550123: Client3",
		"email client7@example.com: Your appointment", "email contact7@example.com: Client7",
		"sms +12015550117: Your appointment", "sms +12015550127: Client7",
	)
}

func TestAMethodThatReachesNobodyIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for method, reason := range map[any]string{"none": "method_none", "voice": "unsupported_method", "fax": "bad_method", nil: "bad_method"} {
		ann := w.client("Ann", row{"preferred_method": method, "phone": "+12015550101", "email": "ann@example.com"})
		visit := w.book(ann, thursday)
		w.expectDecision("appointment.booked", visit, "skipped", "client Ann: "+reason)
	}
}

func TestAClientWithTheMothersAddressIsWrittenToOnceAndTheMotherIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	eve := w.client("Eve", row{"preferred_method": "email", "email": "Mary@Example.com"})
	w.contact(eve, "Mary", row{"email": " mary@example.com"}, nil)
	visit := w.book(eve, thursday)
	w.expect("email mary@example.com: Eve")
	w.expectDecision("appointment.booked", visit, "notify", "client Eve by email: duplicate", "contact Mary by email: send")
}

func TestOfTwoContactsWithOneNumberTheFirstByPositionIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", nil)
	w.contact(ann, "Later", row{"phone": "(201) 555-0102"}, row{"position": 2})
	w.contact(ann, "Earlier", row{"phone": "+1 201 555 0102"}, row{"position": 1})
	w.contact(ann, "Silent", row{"phone": "+1 201 555 0102"}, row{"position": 0, "receives_confirmations": false})
	visit := w.book(ann, thursday)
	w.expect("sms +12015550102: for Ann")
	w.expectDecision("appointment.booked", visit, "notify",
		"client Ann by sms: no_address", "contact Silent by sms: flag_off", "contact Earlier by sms: send", "contact Later by sms: duplicate")
}

func TestTheMothersStopSilencesHerNumberForAllHerChildrenAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	cleo, dan := w.client("Cleo", row{"preferred_method": "both"}), w.client("Dan", row{"preferred_method": "both"})
	mary := w.contact(cleo, "Mary", row{"phone": "+12015550102", "email": "mary@example.com"}, nil)
	w.link(dan, mary, nil)
	w.contact(cleo, "Frank", row{"phone": "+12015550103"}, nil)
	w.stop("(201) 555-0102")
	visit := w.book(cleo, thursday)
	w.book(dan, thursday)
	w.expect("email mary@example.com: Cleo", "email mary@example.com: Dan", "sms +12015550103: Cleo")
	w.expectDecision("appointment.booked", visit, "notify",
		"client Cleo by email: no_address", "client Cleo by sms: no_address",
		"contact Mary by email: send", "contact Mary by sms: opted_out",
		"contact Frank by email: no_address", "contact Frank by sms: send")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("email mary@example.com: Cleo", "email mary@example.com: Dan", "sms +12015550103: Cleo")
}

func TestAStopBindsThePracticeThatItWasSaidTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	other := w.insert("practices", row{"name": "Oak Street Practice", "time_zone": "America/New_York"})
	w.put("opt_outs", row{"practice_id": other, "channel": "sms", "address": "+12015550101"})
	w.put("opt_outs", row{"practice_id": nil, "channel": "sms", "address": "+12015550102"})
	w.put("opt_outs", row{"practice_id": w.practice, "channel": "sms", "address": "+12015550103", "revoked_at": w.clock.Now()})
	w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.book(w.client("Bob", row{"phone": "+12015550102"}), thursday)
	w.put("opt_outs", row{"practice_id": w.practice, "channel": "email", "address": "Dee@EXAMPLE.com"})
	w.book(w.client("Cat", row{"phone": "+12015550103"}), thursday)
	w.book(w.client("Dee", row{"phone": "+12015550104", "email": "dee@example.com", "preferred_method": "both"}), thursday)
	w.expect("sms +12015550101: is booked", "sms +12015550103: is booked", "sms +12015550104: is booked")
}

// Files that opt-outs are brought in from end their lines in many ways.
func TestAnOptOutOfSomebodyElsesBindsHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for name, c := range map[string]struct{ theirs, written string }{
		"Cat": {"cat@example.com", "cat@example.com\r"},
		"Dan": {"dan@example.com", "dan@example.com\n"},
		"Eve": {"eve@example.com", "\tEve@example.com"},
		"Fay": {"fay@example.com", "fay@example.com\u00a0"},
	} {
		w.put("opt_outs", row{"practice_id": w.practice, "channel": "email", "address": c.written, "source": "import"})
		w.book(w.client(name, row{"email": c.theirs, "preferred_method": "email"}), thursday)
	}
	w.expect()
}

func TestAContactIsOneWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann, bob := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bob", row{"phone": "+12015550102"})
	w.contact(ann, "Bob", row{"client_id": bob, "phone": "+12015550102"}, nil)
	w.book(bob, thursday)
	w.expect("sms +12015550102: Your appointment")
}

func TestAContactWhoIsAClientTakesFromThemWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	bob := w.client("Robert", row{"preferred_name": "Bob", "phone": "+12015550102", "email": "bob@example.com", "archived_at": w.clock.Now()})
	cat := w.client("Cat", row{"phone": "+12015550103", "do_not_contact": true})
	w.template(row{"name": "appointment.booked", "body": "Dear [RecipientFirstName], [ClientFirstName] comes.", "audience": "contact"})
	ann := w.client("Ann", nil)
	w.contact(ann, "", row{"client_id": bob, "last_name": ""}, row{"position": 1})
	w.contact(ann, "Cat", row{"client_id": cat}, row{"position": 2})
	visit := w.book(ann, thursday)
	w.expect("sms +12015550102: Dear Bob, Ann comes.")
	w.expectDecision("appointment.booked", visit, "notify",
		"client Ann by sms: no_address", "contact  by sms: send", "contact Cat by sms: do_not_contact")
}

func TestWhoMayNotBeContactedIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	for reason, more := range map[string]row{
		"do_not_contact":  {"do_not_contact": true},
		"client_archived": {"archived_at": w.clock.Now()},
	} {
		ann := w.client("Ann", row{"phone": "+12015550101"}.with(more))
		w.contact(ann, "Bob", row{"phone": "+12015550102"}, nil)
		visit := w.book(ann, thursday)
		w.expectDecision("appointment.booked", visit, "skipped", "client Ann by sms: "+reason, "contact Bob by sms: "+reason)
	}
}

func TestAnInactivePracticeTellsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	w.update("practices", w.practice, "active = false")
	visit := w.book(w.client("Ann", row{"phone": "+12015550101"}), thursday)
	w.expectDecision("appointment.booked", visit, "skipped", "client Ann by sms: practice_inactive")
	w.at("2026-12-09T15:00:00-05:00")
	w.expectDecision("appointment.reminder", visit, "skipped", "client Ann by sms: practice_inactive")
}

func TestAnAppointmentsNotifySwitchStopsConfirmationsAndNotRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.rule(row{"offset_minutes": -24 * hour})
	visit := w.appointment(w.client("Ann", row{"phone": "+12015550101"}), thursday, row{"notify": false})
	w.tell("appointment.booked", visit)
	w.expectDecision("appointment.booked", visit, "skipped", "client Ann by sms: notify_off")
	w.at("2026-12-09T15:00:00-05:00")
	w.expect("sms +12015550101: Reminder")
}

func TestRightsInThePortalNeitherCauseNorStopAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", nil)
	manages := row{"can_manage_appointments": true, "portal_access": true, "can_message": true}
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, manages)
	w.contact(ann, "Cat", row{"phone": "+12015550103"}, nil)
	w.contact(ann, "Dee", row{"phone": "+12015550104"}, manages.with(row{"receives_confirmations": false}))
	visit := w.appointment(ann, thursday, row{"manage_url": "https://elm.example.com/m/1"})
	w.template(row{"name": "appointment.booked", "body": "Booked[If ManageLink]: [ManageLink][Else] for you[End]"})
	w.tell("appointment.booked", visit)
	w.expect("sms +12015550102: Booked: https://elm.example.com/m/1", "sms +12015550103: Booked for you")
}

func TestTheOtherChannelServesWhereThePracticeAllowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"email": "ann@example.com"})
	visit := w.book(ann, thursday)
	w.expectDecision("appointment.booked", visit, "unreachable", "client Ann by sms: no_address")

	w.update("practices", w.practice, "channel_fallback = true")
	w.stop("+12015550102")
	w.book(ann, thursday)
	w.book(w.client("Bob", row{"phone": "+12015550102", "email": "bob@example.com"}), thursday)
	w.book(w.client("Cat", row{"phone": "not a number", "email": "cat@example.com"}), thursday)
	w.book(w.client("Dee", row{"phone": "+12015550104", "email": "dee@example.com", "receives_confirmations": false}), thursday)
	w.expect("email ann@example.com: ", "email bob@example.com: ", "email cat@example.com: ")
}

func TestNobodyReachableIsNotTheSameAsEverybodySilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	cleo := w.client("Cleo", row{"phone": "555"})
	w.contact(cleo, "Mary", row{"email": "mary@example.com"}, nil)
	w.contact(cleo, "Frank", row{"phone": "+12015550103"}, row{"receives_confirmations": false})
	visit := w.book(cleo, thursday)
	w.expectDecision("appointment.booked", visit, "unreachable",
		"client Cleo by sms: invalid_address", "contact Mary by sms: no_address", "contact Frank by sms: flag_off")

	dan := w.client("Dan", row{"receives_confirmations": false})
	w.contact(dan, "Mary", row{"phone": "+12015550102"}, row{"receives_confirmations": false})
	visit = w.book(dan, thursday)
	w.expectDecision("appointment.booked", visit, "silenced",
		"client Dan by sms: flag_off no_address", "contact Mary by sms: flag_off")
	w.expectLedger()

	bob := w.client("Bob", row{"phone": "+12015550104", "do_not_contact": true})
	w.contact(dan, "Bob", row{"client_id": bob}, row{"receives_confirmations": false})
	visit = w.book(dan, thursday)
	w.expectDecision("appointment.booked", visit, "silenced", // nobody wanted to hear, barred or not
		"client Dan by sms: flag_off no_address", "contact Mary by sms: flag_off", "contact Bob by sms: flag_off do_not_contact")
}

func TestNumbersAreReadAsInThePracticesCountry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.update("practices", w.practice, "country = 'GB', time_zone = 'Europe/London', locale = 'en-GB'")
	w.book(w.client("Ann", row{"phone": "07400 123456"}), thursday)
	w.expect("sms +447400123456: Thursday 10 December 2026 at 20:00")
}
