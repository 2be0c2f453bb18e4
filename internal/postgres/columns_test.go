package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/testenv"
)

func TestRowsArriveAsTheyWereAdded(t *testing.T) {
	t.Parallel()
	cfg, err := pgx.ParseConfig(testenv.Database(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["timezone"] = "UTC"
	conn, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	postgres.RegisterIDs(conn.TypeMap())
	id, small, large, words, at := newID(), 7, int64(1)<<40, "O'Neil, {“a”} \\ \n", noon().Add(123456*time.Microsecond)
	var c postgres.Columns
	c.Add(id, &id, words, &words, small, &small, &large, at, &at, true, []byte{0, 255}, 90*time.Second)
	c.Add(id, (*string)(nil), "", (*string)(nil), 0, (*int)(nil), (*int64)(nil), at.AddDate(-100, 0, 0), (*time.Time)(nil), false, []byte{}, time.Duration(0))
	rows, err := conn.Query(t.Context(), `
		SELECT to_jsonb(t) FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::int[], $7::bigint[],
			$8::timestamptz[], $9::timestamptz[], $10::bool[], $11::bytea[], $12::interval[])
			AS t (id, id_or_null, text, text_or_null, int, int_or_null, bigint, time, time_or_null, bool, bytes, span)`, c.Args()...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[map[string]any])
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{
			"id": id, "id_or_null": id, "text": words, "text_or_null": words, "int": 7.0, "int_or_null": 7.0, "bigint": float64(large),
			"time": "2026-11-21T12:00:00.123456+00:00", "time_or_null": "2026-11-21T12:00:00.123456+00:00", "bool": true,
			"bytes": `\x00ff`, "span": "00:01:30",
		},
		{
			"id": id, "id_or_null": nil, "text": "", "text_or_null": nil, "int": 0.0, "int_or_null": nil, "bigint": nil,
			"time": "1926-11-21T12:00:00.123456+00:00", "time_or_null": nil, "bool": false, "bytes": `\x`, "span": "00:00:00",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is no id is PostgreSQL's to refuse, whose errors are redacted.
func TestATextThatIsNoIDIsRefusedByTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Snapshot(t.Context(), "nobody")
	if _, ok := errors.AsType[*postgres.ServerError](err); !ok {
		t.Errorf("got %v", err)
	}
}
