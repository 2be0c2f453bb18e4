package pages_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is a tab of a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the library keeps the tab in it
	mu  sync.Mutex
	bad []string // what the console said; guarded by mu
}

// openBrowser opens one that prefers light or dark pages.
func openBrowser(t *testing.T, dark bool) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		const missing = "Chromium: not found on this machine: apt install chromium"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip("skipped: ", missing)
	}
	scheme := "preferredColorScheme=1"
	if dark {
		scheme = "preferredColorScheme=0"
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("blink-settings", scheme))
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

// tabTo presses the tabulator until an element that matches has the focus, as
// people do who have no mouse.
func (b *browser) tabTo(selector string) {
	b.t.Helper()
	for range 120 {
		if eval[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the tabulator does not lead to %s", selector)
}

// press presses Enter, and waits for the page that comes.
func (b *browser) press(words string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(kb.Enter))
	b.reads(words)
}

// reads waits until the page has the words.
func (b *browser) reads(words string) {
	b.t.Helper()
	b.until("the page says "+words, fmt.Sprintf(`document.body.innerText.includes(%q)`, words))
}

// until waits until a page is there and an expression is true. While one page
// makes room for the next there is nothing to ask.
func (b *browser) until(what, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && (`+expression+`)`))
		if err == nil && ok {
			return
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
	b.t.Fatalf("waited in vain until %s: %s", what, eval[string](b, `document.body.innerText`))
}

func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bad) > 0 {
		b.t.Errorf("the console says %q", b.bad)
	}
}

// Without a mouse: from the day to a message of an appointment, its story, and
// the address, which the log then tells of.
func TestTheWayToAnAddressWithTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	b := openBrowser(t, false)
	w := newWorld(t)
	f := settleFamily(w)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(w.url))
	b.reads("The books are closed")
	b.do(chromedp.KeyEvent(kb.Tab))
	if text := eval[string](b, `document.activeElement.textContent`); text != "Skip to the content" {
		t.Errorf("the first stop is %q", text)
	}
	b.tabTo("#nav-messages")
	b.press("Search by address")
	b.tabTo("#id")
	b.do(chromedp.KeyEvent(f.visit))
	b.press("With " + f.visit)
	b.tabTo("a[href='/messages/" + f.message + "']")
	b.press("Its story")
	if text := eval[string](b, `document.getElementById("message-address").textContent`); text != "+1•••0143" {
		t.Errorf("the address is shown as %q before anybody asked", text)
	}
	b.tabTo("#show")
	if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
		t.Error("one cannot see where the focus is")
	}
	b.press(motherPhone)
	if log := w.log.String(); strings.Count(log, "personal data was shown") != 1 || strings.Contains(log, motherPhone) {
		t.Errorf("the log:\n%s", log)
	}
	b.tabTo("#hide")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("the address is masked again", `document.getElementById("message-address")?.textContent === "+1•••0143"`)
	b.tabTo("dd a[href='/appointments/" + f.visit + "']")
	b.press("What will come")
	b.quiet()
	b.tabTo("#nav-queues")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("the dashboard runs its scripts", `location.pathname === "/tasks/" && document.getElementById("root")?.childElementCount > 0`)
}

// broad is which elements of a page stand out of a narrow window.
const broad = `[document.documentElement.scrollWidth > innerWidth ? "the page, " + document.documentElement.scrollWidth + " px" : "",
	...[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .unseen"))
	.map(e => e.tagName + "." + e.className)].filter(Boolean)`

// pale is which words stand out too little from what is behind them (WCAG 2.2,
// 1.4.3: 4.5 to 1).
const pale = `(() => {
	const parse = c => (c.match(/[\d.]+/g) ?? []).map(Number);
	const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length && (c[3] ?? 1) > 0) return c } return [255, 255, 255] };
	const found = new Set();
	for (const e of document.querySelectorAll("body *:not(svg *)")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.offsetParent) continue;
		const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) found.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
	}
	return [...found];
})()`

func TestPagesAreReadOnASmallScreenAndInTheDark(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := settleFamily(w)
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBrowser(t, dark)
			b.do(chromedp.EmulateViewport(360, 800))
			for _, path := range f.everyPage() {
				b.do(chromedp.Navigate(w.url + path))
				if got := eval[bool](b, `matchMedia("(prefers-color-scheme: dark)").matches`); got != dark {
					t.Fatalf("dark: %v", got)
				}
				if got := eval[[]string](b, broad); len(got) > 0 {
					t.Errorf("%s is wider than 360 px: %q", path, got)
				}
				if got := eval[[]string](b, pale); len(got) > 0 {
					t.Errorf("%s has words that are hard to read: %q", path, got)
				}
			}
			b.quiet()
		})
	}
}
