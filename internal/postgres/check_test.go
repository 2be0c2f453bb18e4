package postgres_test

import (
	"slices"
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

func TestBreachesOfTheContractAreNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ change, want string }{
		"a table is missing":            {`DROP TABLE rappel.rules`, "rappel.rules is missing: run `rappel migrate`, or make it a view"},
		"a column is missing":           {`ALTER TABLE rappel.clients DROP phone`, "rappel.clients lacks column phone (text)"},
		"a column is of another type":   {`ALTER TABLE rappel.clients ALTER phone TYPE int USING 1`, "rappel.clients.phone is integer, not text"},
		"a time without its zone":       {`ALTER TABLE rappel.appointments ALTER starts_at TYPE timestamp`, "rappel.appointments.starts_at is timestamp without time zone, not timestamp with time zone"},
		"an id that is a text":          {`ALTER TABLE rappel.contacts ALTER client_id TYPE text`, "rappel.contacts.client_id is text, not uuid"},
		"a yes or no that is a number":  {`ALTER TABLE rappel.practices ALTER active DROP DEFAULT, ALTER active TYPE int USING 1`, "rappel.practices.active is integer, not boolean"},
		"more columns are no breach":    {`ALTER TABLE rappel.clients ADD shoe_size int`, ""},
		"a view instead of the table":   {`ALTER TABLE rappel.practitioners RENAME TO people; CREATE VIEW rappel.practitioners AS SELECT * FROM rappel.people`, ""},
		"a view that lacks a column":    {`ALTER TABLE rappel.practitioners RENAME TO people; CREATE VIEW rappel.practitioners AS SELECT id, name, email FROM rappel.people`, "rappel.practitioners lacks column practice_id (uuid)"},
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
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("nothing is there", func(t *testing.T) {
		t.Parallel()
		breaches, err := open(t, testenv.Database(t, nil)).ContractBreaches(t.Context())
		if len(breaches) != 8 || !slices.IsSorted(breaches) || err != nil {
			t.Errorf("%q, %v", breaches, err)
		}
	})
}

func TestRulesThatCanNeverFireAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule(row{})
	w.rule(row{"anchor": "lunch", "active": false})
	for _, broken := range []row{{"anchor": "lunch"}, {"kind": "party"}, {"offset_minutes": nil}, {"offset_days": 3}, {"at_time": "08:00"}} {
		id := w.rule(broken)
		got, err := w.BrokenRules(t.Context())
		if err != nil || len(got) != 1 || !strings.Contains(got[0], id) {
			t.Errorf("%v: %q, %v", broken, got, err)
		}
		w.exec(`DELETE FROM rappel.rules WHERE id = $1`, id)
	}
}

func TestZonesThatDoNotExistAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.insert("practices", row{"name": "a", "time_zone": "Mars/Olympus"})
	w.insert("practices", row{"name": "b", "time_zone": ""})
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
}
