package pages_test

import (
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"rappel/internal/app"
)

// The practices have 6,000 templates, 24 MB together.
func TestTemplatePagesReadOnlyWhatTheyShow(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t, app.Parts{})
	if _, err := w.db.Exec(t.Context(), `
		INSERT INTO rappel.templates (id, practice_id, name, channel, subject, body)
		SELECT gen_random_uuid(), gen_random_uuid(), 'text.' || n % 3, 'email', 'Hello', repeat('Bring a card. ', 290) FROM generate_series(1, 6000) n`); err != nil {
		t.Fatal(err)
	}
	mail := "/templates/text.1/mail/" + w.text(`SELECT id FROM rappel.templates WHERE name = 'text.1' LIMIT 1`)
	least := uint64(math.MaxUint64) // other tests allocate meanwhile
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.shows(mail, "Bring a card")
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	if least >= 10<<20 {
		t.Errorf("one email allocated %d MB", least>>20)
	}
	w.shows("/templates/text.1", "There are more variants")
	w.shows("/templates", "5,900 more texts were not looked at")
	w.shows("/templates", `<td class="figure">2000</td>`)
}

func (w *world) shows(path, words string) {
	w.t.Helper()
	if got := w.get(path); got.status != http.StatusOK || !strings.Contains(got.body, words) {
		w.t.Errorf("%s: %d, without %q\n%.2000s", path, got.status, words, got.body)
	}
}
