package postgres_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"rappel/internal/testenv"
)

func TestWhatMigrateMakesIsTheContract(t *testing.T) {
	t.Parallel()
	breaches, err := newWorld(t).ContractBreaches(t.Context())
	if len(breaches) > 0 || err != nil {
		t.Errorf("%q, %v", breaches, err)
	}
}

// TestEveryColumnThatIsMissingIsNamed drops each column that migrate makes, and
// has it back by the statement that the breach gives.
func TestEveryColumnThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := strings.Fields(w.text(`SELECT string_agg(table_name || '.' || column_name, ' ' ORDER BY 1) FROM information_schema.columns
		WHERE table_schema = 'rappel' AND table_name IN
			('practices', 'practitioners', 'clients', 'contacts', 'client_contacts', 'appointments', 'rules', 'templates')`))
	if len(rows) < 90 {
		t.Fatalf("%d columns", len(rows))
	}
	for _, of := range rows {
		table, name, _ := strings.Cut(of, ".")
		w.exec(fmt.Sprintf(`ALTER TABLE rappel.%s DROP COLUMN %s CASCADE`, table, name))
		breaches, err := w.ContractBreaches(t.Context())
		if err != nil || len(breaches) != 1 || !strings.HasPrefix(breaches[0], fmt.Sprintf("rappel.%s lacks column %s (", table, name)) {
			t.Fatalf("without %s: %q, %v", of, breaches, err)
		}
		w.exec(remedy(t, breaches[0]))
	}
	if breaches, err := w.ContractBreaches(t.Context()); len(breaches) > 0 || err != nil {
		t.Errorf("%q, %v", breaches, err)
	}
}

// remedy is the statement at the end of a breach, with something where only its
// author knows what belongs there.
func remedy(t *testing.T, breach string) string {
	t.Helper()
	_, statement, ok := strings.Cut(breach, ": ")
	if !ok {
		t.Fatalf("no remedy in %q", breach)
	}
	statement, _, _ = strings.Cut(statement, " (or ")
	return statement
}

func TestBreachesOfTheContractAreNamedWithTheirRemedy(t *testing.T) {
	t.Parallel()
	const view = `ALTER TABLE rappel.practitioners RENAME TO people; CREATE VIEW rappel.practitioners AS SELECT `
	cases := map[string]struct{ change, want string }{
		"a table is missing": {`DROP TABLE rappel.rules`, "rappel.rules is missing: run `rappel migrate`, or make it a view"},
		"two columns are missing": {
			`ALTER TABLE rappel.clients DROP phone, DROP receives_reminders`,
			"rappel.clients lacks column phone (text), receives_reminders (boolean): " +
				"ALTER TABLE rappel.clients ADD COLUMN phone text, ADD COLUMN receives_reminders boolean NOT NULL DEFAULT true",
		},
		"a column is of another type": {
			`ALTER TABLE rappel.clients ALTER phone TYPE int USING 1`,
			"rappel.clients.phone is integer, not text: " +
				"ALTER TABLE rappel.clients ALTER COLUMN phone DROP DEFAULT, ALTER COLUMN phone TYPE text USING phone::text",
		},
		"a time without its zone": {
			`ALTER TABLE rappel.appointments ALTER starts_at TYPE timestamp`,
			"rappel.appointments.starts_at is timestamp without time zone, not timestamptz: ALTER TABLE rappel.appointments " +
				"ALTER COLUMN starts_at DROP DEFAULT, ALTER COLUMN starts_at TYPE timestamptz USING starts_at AT TIME ZONE 'UTC' (or the zone that it was written in)",
		},
		"an id that is a text": {
			`ALTER TABLE rappel.contacts ALTER client_id TYPE text`,
			"rappel.contacts.client_id is text, not uuid: ALTER TABLE rappel.contacts " +
				"ALTER COLUMN client_id DROP DEFAULT, ALTER COLUMN client_id TYPE uuid USING client_id::text::uuid",
		},
		"a yes or no that is a number": {
			`ALTER TABLE rappel.practices ALTER active DROP DEFAULT, ALTER active TYPE int USING 1, ALTER active SET DEFAULT 1`,
			"rappel.practices.active is integer, not boolean: ALTER TABLE rappel.practices " +
				"ALTER COLUMN active DROP DEFAULT, ALTER COLUMN active TYPE boolean USING active <> 0",
		},
		"a text that should be a time of day": {
			`ALTER TABLE rappel.practices ALTER sms_opens DROP DEFAULT, ALTER sms_opens TYPE text`,
			"rappel.practices.sms_opens is text, not time: ALTER TABLE rappel.practices " +
				"ALTER COLUMN sms_opens DROP DEFAULT, ALTER COLUMN sms_opens TYPE time USING sms_opens::text::time",
		},
		"more columns are no breach":  {`ALTER TABLE rappel.clients ADD shoe_size int`, ""},
		"a view instead of the table": {view + `* FROM rappel.people`, ""},
		"a view that lacks a column": {
			view + `id, name, email FROM rappel.people`,
			"rappel.practitioners lacks column practice_id (uuid): CREATE OR REPLACE VIEW rappel.practitioners AS SELECT …, (…)::uuid AS practice_id FROM …",
		},
		"a view of another type": {
			view + `id, practice_id, name, 1 AS email FROM rappel.people`,
			"rappel.practitioners.email is integer, not text: DROP VIEW rappel.practitioners, and CREATE it with (…)::text AS email",
		},
		"a materialised view is a view": {`ALTER TABLE rappel.practitioners RENAME TO people; CREATE MATERIALIZED VIEW rappel.practitioners AS SELECT * FROM rappel.people`, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.exec(c.change)
			breaches, err := w.ContractBreaches(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(breaches, "\n"); got != c.want {
				t.Fatalf("got %s\nwant %s", got, c.want)
			}
			if !strings.Contains(c.want, ": ALTER TABLE") {
				return
			}
			w.exec(remedy(t, breaches[0]))
			if left, err := w.ContractBreaches(t.Context()); len(left) > 0 || err != nil {
				t.Errorf("after its remedy: %q, %v", left, err)
			}
		})
	}
	t.Run("nothing is there", func(t *testing.T) {
		t.Parallel()
		breaches, err := open(t, testenv.Database(t, nil)).ContractBreaches(t.Context())
		if len(breaches) != 8 || err != nil {
			t.Errorf("%q, %v", breaches, err)
		}
	})
}

func TestRulesThatCanNeverFireAreNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		rule row
		want string // empty: it is fine
	}{
		"as it should be":                    {row{}, ""},
		"not active":                         {row{"anchor": "lunch", "active": false}, ""},
		"no offset":                          {row{"offset_minutes": nil}, "an offset in minutes or in days"},
		"both offsets":                       {row{"offset_days": -3}, "an offset in minutes or in days"},
		"a time of day without days":         {row{"at_time": "08:00"}, "a time of day needs an offset in days"},
		"an anchor that nobody knows":        {row{"anchor": "lunch"}, `no anchor "lunch"`},
		"a kind that nobody knows":           {row{"kind": "party"}, `no message of kind "appointment.party"`},
		"eleven years":                       {row{"offset_minutes": -11 * 365 * 24 * 60}, "ten years"},
		"two mistakes, in one line":          {row{"anchor": "lunch", "kind": "party"}, `kind "appointment.party", there is no anchor "lunch"`},
		"after the start":                    {row{"offset_minutes": 60}, "after the start"},
		"a day after the start":              {row{"offset_minutes": nil, "offset_days": 1, "at_time": "00:00"}, "after the start"},
		"at the start":                       {row{"offset_minutes": 0}, ""},
		"on the day of the start":            {row{"offset_minutes": nil, "offset_days": 0, "at_time": "07:00"}, ""},
		"after the end":                      {row{"anchor": "end", "offset_minutes": 60, "kind": "scheduled"}, ""},
		"before the booking":                 {row{"anchor": "booked", "offset_minutes": -60}, "before the booking"},
		"a day before the booking":           {row{"anchor": "booked", "offset_minutes": nil, "offset_days": -1}, "before the booking"},
		"after the booking":                  {row{"anchor": "booked", "offset_minutes": 60}, ""},
		"before the booking, late as may be": {row{"anchor": "booked", "offset_minutes": -60, "practice_id": "grace"}, ""},
		"of a practice that is not there":    {row{"practice_id": newID()}, "its practice is not there"},
		"of a practice that is not active":   {row{"practice_id": "closed", "anchor": "lunch"}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			switch c.rule["practice_id"] {
			case "grace":
				c.rule["practice_id"] = w.insert("practices", row{"name": "a", "time_zone": "America/New_York", "late_booking": "grace"})
			case "closed":
				c.rule["practice_id"] = w.insert("practices", row{"name": "a", "time_zone": "America/New_York", "active": false})
			}
			id := w.rule(c.rule)
			never, doubtful, err := w.BrokenRules(t.Context())
			if err != nil || len(doubtful) > 0 {
				t.Fatalf("%q, %v", doubtful, err)
			}
			switch {
			case c.want == "" && len(never) > 0:
				t.Errorf("named: %q", never)
			case c.want != "" && (len(never) != 1 || !strings.Contains(never[0], id) || !strings.Contains(never[0], c.want) || strings.Contains(never[0], "\n")):
				t.Errorf("got %q, want rule %s with %q", never, id, c.want)
			}
		})
	}
}

func TestARuleForAServiceThatNoAppointmentHasIsDoubtful(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit(w.client(), noon(), row{"service_name": "Intake"})
	w.rule(row{"service_name": "Intake"})
	w.rule(row{"service_name": ""})
	other := w.rule(row{"service_name": "intake"})
	never, doubtful, err := w.BrokenRules(t.Context())
	if err != nil || len(never) > 0 || len(doubtful) != 1 || !strings.Contains(doubtful[0], other) {
		t.Errorf("%q, %q, %v", never, doubtful, err)
	}
}

func TestSettingsThatMeanSomethingElseAreNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		practice row
		want     string // empty: it is fine
	}{
		"as it should be":                   {row{}, ""},
		"grace":                             {row{"late_booking": "grace"}, ""},
		"a word that nobody knows":          {row{"late_booking": "maybe"}, `late_booking "maybe" is neither skip nor grace`},
		"a time to settle before the event": {row{"settle_seconds": -1}, "settle_seconds is negative"},
		"no window":                         {row{"sms_opens": nil, "sms_closes": nil}, ""},
		"half a window":                     {row{"sms_opens": nil}, "one of sms_opens and sms_closes is null"},
		"closed all day, somebody meant":    {row{"sms_opens": "00:00", "sms_closes": "00:00"}, "00:00 and sms_closes 00:00 are the same time of day, which is no window, not a closed day"},
		"closed at midnight, both ways":     {row{"sms_opens": "24:00", "sms_closes": "00:00"}, "24:00 and sms_closes 00:00 are the same time of day, which is no window"},
		"the wrong way round":               {row{"sms_opens": "21:00", "sms_closes": "08:00"}, "from 21:00 to 08:00"},
		"until midnight":                    {row{"sms_opens": "08:00", "sms_closes": "00:00"}, ""},
		"until 24:00":                       {row{"sms_opens": "08:00", "sms_closes": "24:00"}, ""},
		"ten minutes":                       {row{"sms_opens": "08:00", "sms_closes": "08:10"}, "from 08:00 to 08:10 only"},
		"of a practice that is not active":  {row{"late_booking": "maybe", "active": false}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.practice["name"], c.practice["time_zone"] = "Oak", "America/New_York"
			id := w.insert("practices", c.practice)
			got, err := w.DoubtfulPractices(t.Context())
			switch {
			case err != nil:
				t.Error(err)
			case c.want == "" && len(got) > 0:
				t.Errorf("named: %q", got)
			case c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "practice "+id+": ") || !strings.Contains(got[0], c.want)):
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestZonesThatDoNotExistAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mars := w.insert("practices", row{"name": "a", "time_zone": "Mars/Olympus"})
	none := w.insert("practices", row{"name": "b", "time_zone": ""})
	w.insert("practices", row{"name": "c", "time_zone": "Closed/Down", "active": false})
	client := w.client()
	w.exec(`UPDATE rappel.clients SET time_zone = 'EST5EDT+'`)
	w.insert("contacts", row{"practice_id": w.practice, "time_zone": "Europe/Vienna"})
	w.visit(client, noon().AddDate(100, 0, 0), row{"time_zone": "Moon/Mare"})
	practices, others, err := w.UnknownZones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := func(all []string, want ...string) {
		t.Helper()
		for i, name := range want {
			if len(all) != len(want) || !strings.Contains(all[i], strconv.Quote(name)) {
				t.Errorf("got %q, want %q", all, want)
			}
		}
	}
	names(practices, "", "Mars/Olympus")
	names(others, "Moon/Mare", "EST5EDT+")
	if said := strings.Join(practices, " "); !strings.Contains(said, mars) || !strings.Contains(said, none) {
		t.Errorf("which practices: %q", practices)
	}
}
