package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"rappel/internal/app"
	"rappel/internal/config"
	"rappel/internal/services"
)

// A demo is a running `rappel dev`.
type demo struct {
	page string
	stop func() error
}

// startDev runs everything, with the demo's clock at ten on a Tuesday morning.
func startDev(t *testing.T) demo {
	t.Helper()
	if _, err := services.FindPostgres(""); err != nil {
		missing(t, err.Error())
	}
	cfg, err := config.Load(func(string) string { return "" }, 0)
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPAddr = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- app.Dev(ctx, app.DevOptions{
			Config: cfg, Version: "test", Log: slog.New(slog.DiscardHandler), Out: io.Discard,
			Now: time.Date(2026, 11, 24, 15, 0, 50, 0, time.UTC), Ready: func(page string) { ready <- page },
		})
	}()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	select {
	case page := <-ready:
		return demo{page, stop}
	case err := <-done:
		done <- err
		t.Fatal(err)
		return demo{}
	}
}

// missing skips the test on a laptop, and fails it in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip("skipped: ", what)
}

// A browser is a tab of a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the library keeps the tab in it
	mu  sync.Mutex
	bad []string // what the console said; guarded by mu
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "Chromium: not found on this machine: apt install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	said := chromedp.Console(ctx)
	go func() {
		for m, err := range said {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.bad = append(b.bad, m.String())
			b.mu.Unlock()
		}
	}()
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// tabTo presses the tabulator until the element has the focus, as people do who
// have no mouse.
func (b *browser) tabTo(id string) {
	b.t.Helper()
	for range 120 {
		if eval[string](b, `document.activeElement.id`) == id {
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the tabulator does not lead to %s", id)
}

// messages are what each phone and mail box shows, the newest first, by the
// name of its owner and "phone" or "mailbox".
func (b *browser) messages() map[string][]string {
	b.t.Helper()
	return eval[map[string][]string](b, `Object.fromEntries([...document.querySelectorAll(".phone, .mailbox")].map(device => [
		device.closest(".person").querySelector("h3").textContent + "'s " + device.className,
		[...device.querySelectorAll(".bubble:not(.own), .mail > summary > .subject")].map(m => (m.firstChild.textContent).trim())
	]).filter(([, items]) => items.length))`)
}

// expect waits until the devices show exactly this. Priya's are left out: she is
// reminded once the demo is a minute old, which it may be before a test has ended.
func (b *browser) expect(want map[string][]string) {
	b.t.Helper()
	got := map[string][]string{}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		got = b.messages()
		delete(got, "Priya Shah's phone")
		delete(got, "Priya Shah's mailbox")
		if cmp.Equal(want, got) {
			return
		}
		b.do(chromedp.Sleep(100 * time.Millisecond))
	}
	b.t.Fatalf("what people got (-want +got):\n%s", cmp.Diff(want, got))
}

// chapter waits for the newest decision of a kind, and returns its words.
func (b *browser) chapter(kind string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Poll[string](fmt.Sprintf(
		`[...document.querySelectorAll(".chapter")].find(c => c.querySelector(".chip").textContent === %q)?.innerText.replace(/\s+/g, " ")`, kind)))
	if err != nil {
		b.t.Fatalf("no chapter %s: %v", kind, err)
	}
	return text
}

func TestDevShowsWhoIsToldAndWhoIsNot(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	demo := startDev(t)
	b.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(demo.page))
	const (
		reminded = "Reminder: the appointment for Leo with Harbor Lane Practice is on Wednesday, November 25, 2026 at 10:00 AM. Manage: https://harborlane.example.com/visits/000504"
		miaMail  = "Appointment for Mia on Thursday, November 26, 2026 at 3:30 PM"
		emmaMail = "Reminder: your appointment on Tuesday, November 24, 2026 at 9:00 AM" // in her zone
	)
	want := map[string][]string{
		"Maria Rivera's phone": {reminded}, "Maria Rivera's mailbox": {miaMail},
		"David Rivera's mailbox": {miaMail}, "Emma Clarke's mailbox": {emmaMail},
	}
	b.expect(want)

	// Book a visit for Leo, without a mouse.
	b.tabTo("book-client")
	b.do(chromedp.KeyEvent("Leo"))
	// Letters that come a second apart are words of their own to a list: then they
	// are typed anew.
	for eval[string](b, `document.getElementById("book-client").value`) != leo {
		b.do(chromedp.Sleep(2*time.Second), chromedp.KeyEvent("Leo"))
	}
	b.tabTo("book-go")
	b.do(chromedp.KeyEvent(kb.Enter))
	const when = "the appointment for Leo with Harbor Lane Practice on Thursday, November 26, 2026 at 10:00 AM is "
	maria := eval[string](b, `document.activeElement.id`)
	if maria != "book-go" {
		t.Errorf("after booking the focus is on %q", maria)
	}
	link := func() string {
		return eval[string](b, `[...document.querySelectorAll(".visit")].filter(v => v.querySelector("b").textContent === "Leo Rivera")
			.map(v => v.id).find(id => id !== "v-0de00000-0000-7000-8000-000000000504")?.slice(2) ?? ""`)
	}
	for link() == "" {
		b.do(chromedp.Sleep(50 * time.Millisecond))
	}
	visit := link()
	booked := strings.ToUpper(when[:1]) + when[1:] + "booked."
	want["Maria Rivera's phone"] = []string{booked + " Manage: https://harborlane.example.com/visits/" + visit[30:], reminded}
	want["David Rivera's phone"] = []string{booked}
	b.expect(want)
	for _, words := range []string{
		"Booked Leo Rivera", "Maria Rivera mother SMS sent", "David Rivera father SMS sent",
		"Leo Rivera client Not told by SMS: no mobile number on file", "told by INSERT INTO rappel.events",
	} {
		b.says("Booked", words)
	}

	// Cancel it.
	b.tabTo("cancel-" + visit)
	b.do(chromedp.KeyEvent(kb.Enter))
	cancelled := strings.ToUpper(when[:1]) + when[1:] + "canceled. To find another time, call +1 201 555 0100."
	want["Maria Rivera's phone"] = append([]string{cancelled}, want["Maria Rivera's phone"]...)
	want["David Rivera's phone"] = append([]string{cancelled}, want["David Rivera's phone"]...)
	b.expect(want)
	b.says("Cancelled", "told by task appointment:event")
	if focus := eval[string](b, `document.activeElement.id`); focus != "v-"+visit {
		t.Errorf("after cancelling the focus is on %q", focus)
	}

	// A mail opens, and shows what was written.
	b.tabTo(eval[string](b, `document.querySelector(".mail > summary").id`))
	b.do(chromedp.KeyEvent(kb.Enter))
	if n := eval[int](b, `document.querySelectorAll(".mail[open] > iframe[sandbox=''][srcdoc*='Hi Maria']").length`); n != 1 {
		t.Error("no mail is open")
	}
	if text := b.console(); len(text) > 0 {
		t.Errorf("the console says %q", text)
	}
}

func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bad
}

func TestTimePassesInTheDemo(t *testing.T) {
	t.Parallel()
	demo := startDev(t)
	before := get(t, demo.page)
	if strings.Contains(before, "your appointment with Harbor Lane Practice is on Tuesday, November 24, 2026 at 12:02 PM") {
		t.Fatal("Priya was reminded before it was time")
	}
	client := &http.Client{Timeout: 20 * time.Second}
	res, err := client.PostForm(demo.page+"/do/time", map[string][]string{"by": {"next"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	after, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"It is now Tuesday, November 24, 10:02 AM.",
		"Reminder: your appointment with Harbor Lane Practice is on Tuesday, November 24, 2026 at 12:02 PM.", // by SMS
		"Reminder: your appointment on Tuesday, November 24, 2026 at 12:02 PM</span>",                        // by e-mail
	} {
		if !bytes.Contains(after, []byte(words)) {
			t.Errorf("the page does not say %q", words)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatOperatorsSeeIsLinked(t *testing.T) {
	t.Parallel()
	_, after, _ := strings.Cut(get(t, startDev(t).page), `<p><a href="`)
	link, _, _ := strings.Cut(after, `"`)
	for url, word := range map[string]string{link: "Unreachable", link + "tasks/": "Asynq"} {
		if page := get(t, url); !strings.Contains(page, word) {
			t.Errorf("%s does not say %q", url, word)
		}
	}
}

func TestDevLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	demo := startDev(t)
	if err := demo.stop(); err != nil {
		t.Error(err)
	}
	if conn, err := net.DialTimeout("tcp", strings.TrimPrefix(demo.page, "http://"), time.Second); err == nil {
		t.Error("the page still listens", conn.Close())
	}
}

func TestDevSaysWhereItCannotListen(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	cases := map[string]struct{ addr, want string }{
		"the port is taken":              {l.Addr().String(), "taken by another program"},
		"the address is open to anybody": {"0.0.0.0:0", "loopback"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := app.Dev(t.Context(), app.DevOptions{
				Config: config.Config{HTTPAddr: c.addr}, Log: slog.New(slog.DiscardHandler), Out: io.Discard,
			})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "RAPPEL_HTTP_ADDR") {
				t.Error(err)
			}
		})
	}
}
