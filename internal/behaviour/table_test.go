package behaviour_test

import (
	"fmt"
	"maps"
	"strings"

	"github.com/google/uuid"
)

// A row is a row to insert, by column.
type row map[string]any

// with is r with more columns, those of more winning.
func (r row) with(more row) row {
	all := maps.Clone(r)
	maps.Copy(all, more)
	return all
}

// insert writes a row as the main app does, with an id of its own where it
// brings none, and returns its id.
func (w *world) insert(table string, r row) string {
	w.t.Helper()
	if _, ok := r["id"]; !ok {
		r = r.with(row{"id": newID()})
	}
	w.put(table, r)
	return r["id"].(string)
}

// put writes a row just as it is.
func (w *world) put(table string, r row) {
	w.t.Helper()
	var columns, marks []string
	var values []any
	for column, value := range r {
		columns, values = append(columns, column), append(values, value)
		marks = append(marks, fmt.Sprintf("$%d", len(values)))
	}
	w.exec(fmt.Sprintf("INSERT INTO rappel.%s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(marks, ", ")), values...)
}

// update sets columns of the row with this id.
func (w *world) update(table, id, set string) {
	w.t.Helper()
	w.exec("UPDATE rappel."+table+" SET "+set+" WHERE id = $1", id)
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
}

// value asks the database for one text.
func (w *world) value(sql string, args ...any) string {
	w.t.Helper()
	var v string
	if err := w.db.QueryRow(w.t.Context(), sql, args...).Scan(&v); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
