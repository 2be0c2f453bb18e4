package pages_test

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "write the pictures of the pages anew")

// pictures is where the pictures lie that the README shows.
const pictures = "images"

// mostPicture keeps the pictures small enough for a README.
const mostPicture = 150 << 10

// A clinic is a day in a practice of some size. Everybody in it is made up.
type clinic struct{ visit, message string }

// settleClinic lets one booking go through all of rappel, and writes the rest
// of the day into the ledger.
func settleClinic(w *world) clinic {
	w.t.Helper()
	w.mu.Lock()
	w.now = w.now.Add(-49 * time.Minute)
	w.mu.Unlock()
	w.insert("rules", row{
		"practice_id": w.practice, "kind": "reminder", "name": "24 hours before", "offset_minutes": -1440,
		"template": "appointment.reminder", "updated_at": w.clock().AddDate(-1, 0, 0),
	})
	w.insert("rules", row{
		"practice_id": w.practice, "kind": "reminder", "name": "2 hours before", "offset_minutes": -120,
		"template": "appointment.reminder", "updated_at": w.clock().AddDate(-1, 0, 0),
	})
	c := w.bookForLeo()
	w.dayBefore()
	w.fillLedger()
	return c
}

// bookForLeo books a visit of a child: the mother hears of it at the second
// attempt, and confirms.
func (w *world) bookForLeo() (c clinic) {
	w.t.Helper()
	leo := w.insert("clients", row{"practice_id": w.practice, "first_name": "Leo", "last_name": "Rivera", "preferred_method": "sms"})
	for i, k := range []struct {
		name, relation, phone string
		confirmations         bool
	}{{"Maria", "mother", "+12015550111", true}, {"David", "father", "+12015550112", false}, {"Rosa", "grandmother", "", true}} {
		id := w.insert("contacts", row{"practice_id": w.practice, "first_name": k.name, "last_name": "Rivera", "phone": orNull(k.phone)})
		w.insert("client_contacts", row{
			"client_id": leo, "contact_id": id, "relationship": k.relation, "position": i,
			"receives_reminders": true, "receives_confirmations": k.confirmations,
		})
	}
	w.main.answers(http.StatusServiceUnavailable)
	c.visit = w.book(leo, 54*time.Hour+29*time.Minute)
	w.untilTried()
	w.pass(time.Minute)
	c.message = w.text(`SELECT id FROM rappel.notifications WHERE appointment_id = $1 AND address = '+12015550111'`, c.visit)
	w.exec(`UPDATE rappel.notifications SET status = 'delivered', delivered_at = $2,
		history = history || jsonb_build_array(jsonb_build_object('at', $3::text, 'via', 'admin', 'status', 'delivered', 'told', true))
		WHERE id = $1`, c.message, w.clock().Add(7*time.Second), w.clock().Add(7*time.Second).UTC().Format(time.RFC3339))
	w.insert("replies", row{
		"carrier_id": "c-1", "address": "+12015550111", "received_at": w.clock().Add(4 * time.Minute), "meaning": "confirm",
		"notification_id": c.message, "outcome": "posted", "settled_at": w.clock(),
	})
	w.pass(48 * time.Minute)
	return c
}

// dayBefore books the visits of tomorrow, for which the rules have reminders.
func (w *world) dayBefore() {
	w.t.Helper()
	for i, name := range []string{
		"Priya Shah", "Tom Becker", "Emma Clarke", "James O’Neill", "Ines Fabre", "Noor Haddad", "Otto Lindqvist", "Grace Mbeki",
		"Hana Sato", "Paul Whitfield", "Lucia Romero", "Adam Novak", "Ruth Adler", "Sami Aalto", "Vera Kowalski", "Ben Okoye",
	} {
		var first, last string
		if _, err := fmt.Sscan(name, &first, &last); err != nil {
			w.t.Fatal(err)
		}
		client := w.insert("clients", row{
			"practice_id": w.practice, "first_name": first, "last_name": last, "preferred_method": "sms", "phone": fmt.Sprintf("+1201555%04d", 120+i),
		})
		if i == 4 || i == 9 {
			w.exec(`UPDATE rappel.clients SET phone = NULL WHERE id = $1`, client)
		}
		at := w.clock().Add(time.Duration(26*60+i*40) * time.Minute).Truncate(10 * time.Minute)
		w.insert("appointments", row{
			"practice_id": w.practice, "client_id": client, "practitioner_id": w.practitioner, "starts_at": at, "ends_at": at.Add(50 * time.Minute),
			"booked_at": w.clock().AddDate(0, 0, -12), "updated_at": w.clock().AddDate(0, 0, -12), "start_set_at": w.clock().AddDate(0, 0, -12),
		})
	}
}

// fillLedger writes what a morning leaves behind.
func (w *world) fillLedger() {
	w.t.Helper()
	midnight := instant(w.t, "2026-11-24T00:00:00-05:00")
	n := 0
	write := func(count int, l letter) {
		for range count {
			n++
			l.decided = midnight.Add(6*time.Hour + time.Duration(n*97%260)*time.Minute)
			l.to, l.channel = fmt.Sprintf("+1201555%04d", 200+n%700), "sms"
			if n%3 == 0 {
				l.to, l.channel = fmt.Sprintf("%c.client%d@example.com", 'a'+rune(n%26), n), "email"
			}
			if l.status == "sent" || l.status == "delivered" || l.status == "undelivered" {
				l.sent = l.decided.Add(2 * time.Second)
			}
			l.visit = newID()
			w.ledger(l)
		}
	}
	write(61, letter{status: "sent"})
	write(118, letter{status: "delivered"})
	write(2, letter{status: "undelivered"})
	write(1, letter{status: "failed", reason: "refused"})
	write(1, letter{status: "unknown"})
	write(6, letter{status: "suppressed", reason: "cancelled"})
	write(3, letter{status: "suppressed", reason: "superseded"})
	write(2, letter{status: "suppressed", reason: "opted_out"})
	for i, hours := range []int{1, 1, 2, 2, 2, 3, 4, 5, 5, 6, 7, 8, 21, 22, 22, 22, 23} {
		for range 3 + i%4 {
			write(1, letter{status: "pending", notBefore: w.clock().Add(time.Duration(hours)*time.Hour + 10*time.Minute)})
		}
	}
}

// Screenshots are written with -update, and else not looked at: what a page
// says is for other tests.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	if !*update {
		t.Skip("skipped: only with -update")
	}
	w := newWorld(t)
	c := settleClinic(w)
	shots := []struct {
		name, path    string
		width, height int64
		dark          bool
	}{
		{"today", "/", 1200, 900, false},
		{"today-dark", "/", 1200, 900, true},
		{"today-phone", "/", 390, 844, false},
		{"message", "/messages/" + c.message, 1200, 900, false},
		{"message-dark", "/messages/" + c.message, 1200, 900, true},
		{"message-phone", "/messages/" + c.message, 390, 844, false},
		{"appointment", "/appointments/" + c.visit, 1200, 900, false},
		{"appointment-dark", "/appointments/" + c.visit, 1200, 900, true},
		{"appointment-phone", "/appointments/" + c.visit, 390, 844, false},
	}
	browsers := map[bool]*browser{false: openBrowser(t, false), true: openBrowser(t, true)}
	for _, s := range shots {
		b := browsers[s.dark]
		b.do(chromedp.EmulateViewport(s.width, s.height), chromedp.Navigate(w.url+s.path))
		shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		small := fewColours(t, shot)
		if len(small) > mostPicture {
			t.Errorf("%s has %d KiB", s.name, len(small)>>10)
		}
		if err := os.WriteFile(filepath.Join(pictures, s.name+".png"), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fewColours writes a picture with its 256 most frequent colours: a page has
// hardly more, and the file a third of the size.
func fewColours(t *testing.T, shot []byte) []byte {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	area, often := picture.Bounds(), map[color.Color]int{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			often[picture.At(x, y)]++
		}
	}
	colours := color.Palette(slices.Collect(maps.Keys(often)))
	slices.SortFunc(colours, func(a, b color.Color) int { return often[b] - often[a] })
	small := image.NewPaletted(area, colours[:min(256, len(colours))])
	nearest := map[color.Color]uint8{}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c := picture.At(x, y)
			if _, ok := nearest[c]; !ok {
				nearest[c] = uint8(small.Palette.Index(c))
			}
			small.SetColorIndex(x, y, nearest[c])
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
