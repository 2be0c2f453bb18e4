package behaviour_test

import (
	"strings"
	"testing"
)

// spoil has the clients be a view that fails to show the phone of one of them.
func (w *world) spoil(client string) (mend func()) {
	w.t.Helper()
	w.exec(`ALTER TABLE rappel.clients RENAME TO kept_clients`)
	columns := w.value(`SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'rappel.kept_clients'::regclass AND attnum > 0`)
	phone := `CASE WHEN id = '` + client + `' THEN (1 / (length(id::text) - 36))::text ELSE phone END AS phone`
	w.exec(`CREATE VIEW rappel.clients AS SELECT ` + strings.Replace(columns, "phone", phone, 1) + ` FROM rappel.kept_clients`)
	return func() {
		w.exec(`DROP VIEW rappel.clients`)
		w.exec(`ALTER TABLE rappel.kept_clients RENAME TO clients`)
	}
}

func TestAClientWhoCannotBeReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, monday)
	w.reminds(24*60, "in a day")
	ann, bad := w.client("Ann", row{"phone": "+12015550101"}), w.client("Bad", row{"phone": "+12015550199"})
	visit, lost := w.longBooked(ann, "2026-12-10T20:00:00Z"), w.longBooked(bad, "2026-12-10T20:00:00Z")
	mend := w.spoil(bad)
	w.at("2026-12-09T20:00:00Z")
	w.expect("sms +12015550101: in a day")
	if got := w.value(`SELECT swept_to::text FROM rappel.sweeps`); !strings.HasPrefix(got, "2026-12-09 20:00") {
		t.Errorf("the mark is at %s", got)
	}
	// Within ten minutes it can be mended.
	w.at("2026-12-09T20:09:00Z")
	w.expect()
	if n := w.value(`SELECT count(*)::text FROM rappel.decisions WHERE appointment_id = $1`, lost); n != "0" {
		t.Errorf("%s decisions about what will be tried again", n)
	}
	w.at("2026-12-09T20:10:00Z")
	w.expect()
	const detail = `SELECT outcome || ' ' || detail FROM rappel.decisions WHERE appointment_id = $1`
	if got := w.value(detail, lost); got != "skipped unreadable: rappel.clients "+bad+", column phone" {
		t.Errorf("decided %s", got)
	}
	mend()
	w.at("2026-12-09T20:11:00Z")
	w.expect()
	w.expectDecision("appointment.reminder", visit, "notify", "client Ann by sms: send")
}
