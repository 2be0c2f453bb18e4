package dev_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"rappel/internal/dev"
	"rappel/internal/testenv"
)

func TestADatabaseOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	url := testenv.Database(t, nil)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	steps := []struct {
		what, sql string
		foreign   bool
	}{
		{"an empty database", `SELECT 1`, false},
		{"no practice yet", `CREATE SCHEMA rappel; CREATE TABLE rappel.practices (id uuid)`, false},
		{"the sample alone", `INSERT INTO rappel.practices VALUES ('` + dev.PracticeID + `')`, false},
		{"a practice besides", `INSERT INTO rappel.practices VALUES (gen_random_uuid())`, true},
	}
	for _, s := range steps {
		if _, err := conn.Exec(t.Context(), s.sql); err != nil {
			t.Fatal(err)
		}
		if err := dev.RefuseForeign(t.Context(), url); errors.Is(err, dev.ErrForeign) != s.foreign {
			t.Errorf("%s: %v", s.what, err)
		}
	}
}
