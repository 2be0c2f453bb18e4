package app_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Ids of the sample practice.
const (
	idStem   = "0de00000-0000-7000-8000-000000000"
	leo      = idStem + "101"
	leoVisit = idStem + "504"
	noah     = idStem + "108"
	maria    = idStem + "201"
	grace    = idStem + "203"
	luis     = idStem + "204"
)

// press presses a button with the mouse, once the page has it.
func (b *browser) press(id string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](fmt.Sprintf(`!busy && (document.getElementById(%q)?.click(), true)`, id))); err != nil {
		b.t.Fatalf("press %s: %v", id, err)
	}
}

// reads waits until an element reads these words.
func (b *browser) reads(id, words string) {
	b.t.Helper()
	const text = `document.getElementById(%q)?.innerText.replace(/\s+/g, " ")`
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](fmt.Sprintf(text+`.includes(%q)`, id, words))); err != nil {
		b.t.Fatalf("%s does not read %q, but %q", id, words, eval[string](b, fmt.Sprintf(text+` ?? ""`, id)))
	}
}

// says waits until the newest decision of a kind says these words.
func (b *browser) says(kind, words string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](fmt.Sprintf(
		`[...document.querySelectorAll(".chapter")].find(c => c.querySelector(".chip").textContent === %q)?.innerText.replace(/\s+/g, " ").includes(%q)`,
		kind, words))); err != nil {
		b.t.Fatalf("%s does not say %q, but %q", kind, words, b.chapter(kind))
	}
}

func TestWhatSomebodyAnswersIsHeeded(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	b.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(startDev(t).page))
	phone := "sms-" + maria
	b.reads(phone, "Reminder: the appointment for Leo")

	// Without a mouse.
	b.tabTo(phone + "-C")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.reads(phone, "Confirmed the appointment of Leo (tomorrow, 10:00 AM).")
	b.reads("v-"+leoVisit, "Leo Rivera Confirmed")
	b.reads(phone, "on Wednesday, November 25, 2026 at 10:00 AM is confirmed.")
	b.says("Confirmed", "told by task appointment:event")

	b.press(phone + "-STOP")
	b.reads(phone, "Opted out: no more SMS to this number.")
	b.reads(phone, "said STOP")
	b.do(chromedp.SetValue("#book-client", leo))
	b.press("book-go")
	b.says("Booked", "Maria Rivera mother Not told by SMS: has answered STOP")
	b.says("Booked", "David Rivera father SMS sent")

	b.press(phone + "-START")
	b.reads(phone, "Opted in again.")
	b.press("cancel-" + leoVisit)
	b.reads(phone, "on Wednesday, November 25, 2026 at 10:00 AM is canceled.")
	if text := b.console(); len(text) > 0 {
		t.Errorf("the console says %q", text)
	}
}

func TestTwoChildrenOfOneMotherAreNotGuessed(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	b.do(chromedp.EmulateViewport(360, 780), chromedp.Navigate(startDev(t).page))
	mother, father := "sms-"+grace, "sms-"+luis

	b.press("siblings-go")
	b.reads(mother, "Ella with Harbor Lane Practice on Wednesday, November 25, 2026 at 11:30 AM is booked.")
	b.press("by-hour")
	b.reads(mother, "Reminder: the appointment for Noah")
	b.press("by-hour")
	b.reads(mother, "Reminder: the appointment for Ella")
	b.press(mother + "-C")
	b.reads(mother, "For staff, since it may be either: the appointment of Ella (tomorrow, 11:30 AM) or Noah (tomorrow, 11:00 AM).")

	b.reads(father, "Recordatorio: la cita de Noah")
	b.do(chromedp.SetValue("#"+father+"-text", "llego tarde"))
	b.press(father + "-send")
	b.reads(father, "For staff: about the appointment of Noah (tomorrow, 11:00 AM).")
	b.press(father + "-C")
	b.reads(father, "Confirmed the appointment of Noah (tomorrow, 11:00 AM).")

	for _, kind := range []struct{ id, name, says string }{
		{"portal.invited", "Portal invitation", "Luis Ortega father Not told by SMS: has no access to the portal"},
		{"invoice.issued", "Invoice", "Luis Ortega father Not told by SMS: does not manage the billing"},
		{"estimate.issued", "Estimate", "Grace Bennett mother Not told by SMS: an estimate is for the client alone"},
	} {
		b.do(chromedp.SetValue("#notice-whom", noah+"/"+luis))
		b.press("send-" + kind.id)
		b.says(kind.name, kind.says)
	}
	b.reads(mother, "You have a new invoice from Harbor Lane Practice for Noah. Amount: $120.00.")
	if width := eval[int](b, `document.documentElement.scrollWidth`); width > 360 {
		t.Errorf("at 360 pixels the page is %d wide", width)
	}
	if text := b.console(); len(text) > 0 {
		t.Errorf("the console says %q", text)
	}
}
