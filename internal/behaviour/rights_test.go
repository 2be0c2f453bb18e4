package behaviour_test

import (
	"strings"
	"testing"
	"time"

	"rappel/internal/app"
)

const manage = "https://elm.example.com/m/1"

// A wayToManage is a text with the link that lets its reader move a visit: what
// is read by who may, and by who may not.
type wayToManage struct{ body, may, mayNot string }

func waysToManage(channel string) []wayToManage {
	ways := []wayToManage{
		{"Link [ManageLink].", "Link " + manage + ".", "Link."},
		{"Or [ManageLink|call us].", "Or " + manage + ".", "Or call us."},
		{"[If ManageLink]Here: [ManageLink] [End]Bye.", "Here: " + manage + " Bye.", "Bye."},
		{"[If ManageLink]Move it.[Else]Ask Ann.[End]", "Move it.", "Ask Ann."},
		{"[if managelink]Go [MANAGELINK] [else]Ask. [end]Bye.", "Go " + manage + " Bye.", "Ask. Bye."},
	}
	if channel == "email" {
		ways = append(ways, wayToManage{`<p>Go <a href="[ManageLink]">there</a> now</p>`, "Go there (" + manage + ") now", "Go there now"})
	}
	return ways
}

func TestTheLinkThatMovesAVisitIsForWhoMayMoveIt(t *testing.T) {
	t.Parallel()
	for channel, to := range map[string][]string{
		"sms":   {"sms +12015550101: ", "sms +12015550102: ", "sms +12015550103: "},
		"email": {"email ann@example.com: ", "email bob@example.com: ", "email cat@example.com: "},
	} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, monday)
			ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": channel})
			w.contact(ann, "Bob", row{"phone": "+12015550102", "email": "bob@example.com"}, row{"can_manage_appointments": true})
			others := everyRight().with(row{"can_manage_appointments": false})
			cat := w.contact(ann, "Cat", row{"phone": "+12015550103", "email": "cat@example.com"}, others)
			// That Cat may move the visits of another client is nothing to Ann's.
			w.link(w.client("Dan", nil), cat, everyRight())
			text := w.template(row{"name": "appointment.booked", "channel": channel, "body": ""})
			for _, way := range waysToManage(channel) {
				w.exec(`UPDATE rappel.templates SET body = $2, version = version + 1 WHERE id = $1`, text, way.body)
				w.tell("appointment.booked", w.appointment(ann, thursday, row{"manage_url": manage}))
				w.expect(to[0]+way.may, to[1]+way.may, to[2]+way.mayNot)
			}
			w.tell("appointment.booked", w.appointment(ann, friday, row{"manage_url": "javascript:move()"}))
			last := waysToManage(channel)[len(waysToManage(channel))-1].mayNot
			w.expect(to[0]+last, to[1]+last, to[2]+last)
		})
	}
}

// The texts that come with rappel, for each kind that can have the link.
func TestTheBuiltInTextsShowTheLinkToWhoMayMoveTheVisitAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"})
	w.contact(ann, "Bob", row{"phone": "+12015550102", "email": "bob@example.com"}, row{"can_manage_appointments": true})
	w.contact(ann, "Cat", row{"phone": "+12015550103", "email": "cat@example.com"}, everyRight().with(row{"can_manage_appointments": false}))
	w.rule(row{"offset_minutes": -24 * hour})
	more := row{"manage_url": manage, "telehealth_url": "https://meet.example.org/1", "location_address": "5 Elm Street"}
	visit := w.appointment(ann, thursday, more)
	var all []string
	read := func() {
		w.settle()
		all = append(all, w.inbox.take()...)
	}
	w.tell("appointment.booked", visit)
	read()
	w.confirm(visit)
	read()
	w.move(visit, friday)
	read()
	w.at("2026-12-10T15:00:00-05:00")
	read()
	w.tell("appointment.telehealth_link", visit)
	read()
	w.cancel(visit)
	w.decline(w.appointment(ann, "2026-12-14T15:00:00-05:00", more))
	read()
	w.at("2026-12-11T16:00:00-05:00")
	w.miss(w.longBooked(ann, "2026-12-11T15:30:00-05:00"))
	read()

	const kinds, channels, people = 8, 2, 3
	if len(all) != kinds*channels*people {
		t.Errorf("%d messages", len(all))
	}
	linked := map[bool]int{}
	for _, m := range all {
		client := strings.Contains(m, "0101: ") || strings.HasPrefix(m, "email ann@")
		if strings.Contains(m, manage) {
			linked[client]++
		}
		if strings.Contains(m, "Therapy") || strings.Contains(m, "Rivera") {
			t.Errorf("says what for, or with whom: %s", m)
		}
		if client {
			continue
		}
		if !strings.Contains(m, "Ann") || !strings.Contains(m, "December 1") {
			t.Errorf("does not name the client and the time: %s", m)
		}
		if strings.Contains(m, "Elm Street 5") || strings.Contains(m, "5 Elm") || strings.Contains(m, "minutes") ||
			strings.Contains(m, "meet.example") && !strings.Contains(strings.ToLower(m), "link") && !strings.Contains(m, "Join the appointment") {
			t.Errorf("says more than the client and the time: %s", m)
		}
		if strings.Contains(m, manage) && (strings.Contains(m, "0103: ") || strings.HasPrefix(m, "email cat@")) {
			t.Errorf("the link is not for Cat: %s", m)
		}
	}
	// Booked, confirmed, moved and reminded of: the link is of use.
	if linked[true] != 8 || linked[false] != 8 {
		t.Errorf("the client has %d links, Bob %d", linked[true], linked[false])
	}
}

func TestARightThatIsTakenAwayBeforeTheMessageLeavesIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.reminder", "body": "[If ManageLink]Move it: [ManageLink][Else]See you.[End]"})
	w.rule(row{"offset_minutes": -24 * hour})
	ann := w.client("Ann", row{"phone": "+12015550101"})
	bob := w.contact(ann, "Bob", row{"phone": "+12015550102"}, everyRight())
	cat := w.contact(ann, "Cat", row{"phone": "+12015550103"}, nil)
	w.appointment(ann, "2026-12-11T06:00:00-05:00", row{"manage_url": manage})
	w.at("2026-12-10T06:00:00-05:00") // it waits for the window
	w.expect()
	w.grant(ann, bob, "can_manage_appointments = false")
	w.grant(ann, cat, "can_manage_appointments = true")
	w.at("2026-12-10T08:00:00-05:00")
	w.expect("sms +12015550101: Move it: "+manage, "sms +12015550102: See you.", "sms +12015550103: Move it: "+manage)
}

// A preview is what the person would read, rights and all.
func TestAPreviewHasTheRightsOfItsReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", nothing().with(row{"do_not_contact": true}))
	bob, cat := w.contact(ann, "Bob", nil, everyRight()), w.contact(ann, "Cat", nil, nil)
	visit := w.appointment(ann, thursday, row{"manage_url": manage})
	for reader, shows := range map[string]bool{"": true, ann: true, bob: true, cat: false} {
		for _, channel := range []string{"sms", "email"} {
			p, err := w.app.Preview(t.Context(), app.PreviewRequest{
				Template: "appointment.reminder", Channel: channel, AppointmentID: visit, RecipientID: reader,
				Data: map[string]string{"manage_link": "https://x.example.org", "ManageLink": "https://x.example.org"},
			})
			if err != nil || strings.Contains(p.Text+p.HTML, manage) != shows || strings.Contains(p.Text+p.HTML, "x.example") {
				t.Errorf("%s reads %v %s", w.names[reader], err, p.Text)
			}
		}
	}
	for _, data := range []map[string]string{nil, {}, {"portal_link": "javascript:alert(1)"}, {"body": "x"}, {"form_name": "<b>\n[x]"}} {
		for _, kind := range []string{"portal.invited", "portal.message", "form.sent", "form.signature_requested", "document.shared", "invoice.issued", "estimate.issued"} {
			for _, channel := range []string{"sms", "email"} {
				p, err := w.app.Preview(t.Context(), app.PreviewRequest{Template: kind, Channel: channel, Data: data})
				if err != nil || strings.Contains(p.Text, "[") || strings.Contains(p.HTML, "alert(1)") {
					t.Errorf("%s by %s with %v: %v %s", kind, channel, data, err, p.Text)
				}
			}
		}
	}
	if _, err := w.app.Preview(t.Context(), app.PreviewRequest{
		Template: "form.sent", Channel: "sms", AppointmentID: visit, RecipientID: w.client("Dan", nil),
	}); err == nil {
		t.Error("a stranger reads a preview")
	}
	w.pass(time.Minute)
}

// As the client they may; that they are their own contact takes nothing away.
func TestWhoIsTheirOwnContactMayMoveTheirOwnVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.template(row{"name": "appointment.booked", "body": "[If ManageLink]Move it: [ManageLink][Else]See you.[End]"})
	ann, bea := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bea", nil)
	self := w.contact(ann, "Ann", row{"client_id": ann}, nil)
	w.link(bea, self, nil)
	w.tell("appointment.booked", w.appointment(ann, thursday, row{"manage_url": manage}))
	w.expect("sms +12015550101: Move it: " + manage)
	w.tell("appointment.booked", w.appointment(bea, thursday, row{"manage_url": manage})) // another's
	w.expect("sms +12015550101: See you.")
}
