package behaviour_test

import (
	"testing"
	"time"
)

func TestANoticeGoesToThePersonAddressedAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "2026-11-23T03:00:00-05:00") // the window is not for notices
	off := row{"receives_reminders": false, "receives_confirmations": false, "receives_scheduled": false}
	ann := w.client("Ann", row{"phone": "+12015550101"}.with(off))
	bob := w.contact(ann, "Bob", row{"phone": "+12015550102"}, off.with(row{"portal_access": true}))
	cat := w.contact(ann, "Cat", row{"phone": "+12015550103"}, nil)
	dee := w.contact(ann, "Dee", row{"phone": "+12015550104"}, row{"portal_access": true, "can_message": true})
	for _, contact := range []string{"", bob, cat, dee} {
		w.notice("portal.message", ann, contact, `{"portal_link":"https://elm.example.com/p"}`)
	}
	w.expect("sms +12015550101: https://elm.example.com/p", "sms +12015550104: https://elm.example.com/p")
	w.notice("portal.invited", ann, bob, `{}`)
	w.notice("portal.invited", ann, cat, `{}`)
	w.expect("sms +12015550102: Elm Street Practice")
	w.notice("form.sent", ann, cat, `{"form_link":"https://elm.example.com/f","body":"ignored"}`)
	w.expect("sms +12015550103: https://elm.example.com/f")
}

func TestDocumentsInvoicesAndEstimatesGoToWhoHasTheRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101"})
	w.contact(ann, "Bob", row{"phone": "+12015550102"}, row{"portal_access": true, "can_view_documents": true})
	w.contact(ann, "Cat", row{"phone": "+12015550103"}, row{"can_manage_billing": true, "can_view_documents": true})
	w.notice("document.shared", ann, "", `{}`)
	w.expect("sms +12015550101: document", "sms +12015550102: document")
	w.notice("invoice.issued", ann, "", `{"invoice_amount":"$90","invoice_due":"2026-12-01"}`)
	w.expect("sms +12015550101: Amount: $90. Due: Tuesday, December 1, 2026", "sms +12015550103: Amount: $90.")
	w.notice("estimate.issued", ann, "", `{}`)
	w.expect("sms +12015550101: estimate")
}

func TestANoticeHeedsMethodStopArchiveAndTheLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", row{"phone": "+12015550101", "email": "ann@example.com", "preferred_method": "both"})
	w.stop("+12015550101")
	w.notice("form.sent", ann, "", `{}`)
	w.expect("email ann@example.com: form")

	bob := w.client("Bob", row{"phone": "+12015550102", "archived_at": w.clock.Now()})
	w.notice("form.sent", bob, "", `{}`)
	w.notice("form.sent", ann, bob, `{}`) // no contact of hers
	w.expectLedger("form.sent to Ann by email: sent")
}

func TestAContactUnlinkedMeanwhileGetsNoNotice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	ann := w.client("Ann", nil)
	bob := w.contact(ann, "Bob", row{"phone": "+12015550102"}, row{"portal_access": true})
	w.inbox.answers(answer{status: 503})
	w.notice("portal.invited", ann, bob, `{}`)
	w.settle()
	w.unlink(ann, bob)
	w.sweep()
	w.pass(time.Hour)
	w.expectLedger("portal.invited to Bob by sms: suppressed, superseded")
}

func TestTheNumberOfAnInvoiceIsWrittenAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.text("invoice.issued", "Invoice [InvoiceNumber] of [InvoiceAmount], due [InvoiceDueDate]")
	w.notice("invoice.issued", w.client("Ann", row{"phone": "+12015550101"}), "", `{"invoice_number":20261123,"invoice_amount":90.50,"invoice_due":"soon"}`)
	w.expect("sms +12015550101: Invoice 20261123 of 90.50, due soon")
}
