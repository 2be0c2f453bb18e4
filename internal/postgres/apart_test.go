package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rappel/jobs/plan"
	"rappel/jobs/sweep"
)

// spoil has a source table be a view that fails to show a column of the rows of
// a condition.
func (w *world) spoil(table, column, condition string) {
	w.t.Helper()
	kept := "kept_" + table
	w.exec(`ALTER TABLE rappel.` + table + ` RENAME TO ` + kept)
	var all []string
	for c := range strings.SplitSeq(w.text(`SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'rappel.`+kept+`'::regclass AND attnum > 0`), ",") {
		name, kind, _ := strings.Cut(c, " ")
		if name == column {
			name = fmt.Sprintf("CASE WHEN %s THEN (1 / (length(id::text) - 36))::text::%s ELSE %s END AS %s", condition, kind, column, column)
		}
		all = append(all, name)
	}
	w.exec(`CREATE VIEW rappel.` + table + ` AS SELECT ` + strings.Join(all, ", ") + ` FROM rappel.` + kept)
}

// finds are the appointments that a sweep finds, and what it says of those that
// it cannot read.
func (w *world) finds(span sweep.Span) (found, unreadable []string) {
	w.t.Helper()
	err := w.Find(w.t.Context(), span, func(f sweep.Found) {
		if f.Unreadable == nil {
			found = append(found, f.AppointmentID)
		} else {
			unreadable = append(unreadable, f.PracticeID+f.AppointmentID+f.Rule.ID)
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(found)
	return found, unreadable
}

func TestARowThatCannotBeReadIsFoundApart(t *testing.T) {
	t.Parallel()
	columns := map[string]struct {
		table, column string
		practice      bool // nothing of the practice can be found
	}{
		"an appointment's client":  {"appointments", "client_id", false},
		"an appointment's service": {"appointments", "service_name", false},
		"a practice's SMS window":  {"practices", "sms_opens", true},
		"a practice's rule":        {"rules", "template", true},
	}
	for name, c := range columns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			bad := w.practice
			rule := w.rule(row{"offset_minutes": -60})
			poison := w.visit(w.client(), noon().Add(time.Hour), row{"service_name": "Poison"})
			beside := w.visit(w.client(), noon().Add(time.Hour), nil)
			w.practice = w.insert("practices", row{"name": "Oak Street", "time_zone": "America/New_York"})
			w.rule(row{"offset_minutes": -60})
			other := w.visit(w.client(), noon().Add(time.Hour), nil)
			condition := map[string]string{
				"appointments": "id = '" + poison + "'", "practices": "id = '" + bad + "'", "rules": "id = '" + rule + "'",
			}[c.table]
			w.spoil(c.table, c.column, condition)
			want, wantBad := []string{beside, other}, []string{bad + poison, bad + poison + rule}
			if c.practice {
				want, wantBad = []string{other}, []string{bad}
			}
			slices.Sort(want)
			span := sweep.Span{From: noon().Add(-time.Hour), To: noon().Add(time.Minute)}
			for range 2 { // the second time its practice is known
				found, unreadable := w.finds(span)
				if !slices.Equal(found, want) || !slices.Equal(unreadable, wantBad) {
					t.Errorf("found %v and unreadable %v, want %v and %v", found, unreadable, want, wantBad)
				}
			}
			id := map[string]string{"appointments": poison, "practices": bad, "rules": rule}[c.table]
			appointment := poison
			if c.practice {
				appointment = ""
			}
			if got := w.Blame(t.Context(), appointment, "", bad); got != (plan.Blame{Relation: c.table, Column: c.column, ID: id}) {
				t.Errorf("blames %+v", got)
			}
			w.exec(`DROP VIEW rappel.` + c.table)
			w.exec(`ALTER TABLE rappel.kept_` + c.table + ` RENAME TO ` + c.table)
			want = []string{beside, other, poison}
			slices.Sort(want)
			for range 2 {
				if found, unreadable := w.finds(span); !slices.Equal(found, want) || unreadable != nil {
					t.Errorf("mended: found %v and unreadable %v", found, unreadable)
				}
			}
		})
	}
}
