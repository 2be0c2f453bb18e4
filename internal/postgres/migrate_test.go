package postgres_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"rappel/internal/postgres"
	"rappel/internal/testenv"
)

// update rewrites testdata/schema.txt: read its diff before it is kept.
var update = flag.Bool("update", false, "rewrite the golden files")

// schemaQuery describes a schema, a line a thing, in an order of its own.
const schemaQuery = `
SELECT line FROM (
	SELECT format('%s %s', lower(table_type), table_name) AS line, table_name AS t, 1 AS sort
	FROM information_schema.tables WHERE table_schema = 'rappel'
	UNION ALL
	SELECT format('%s.%s %s%s%s%s', table_name, column_name, data_type,
		CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END,
		coalesce(' default ' || column_default, ''), coalesce(' generated ' || generation_expression, '')), table_name, 2
	FROM information_schema.columns WHERE table_schema = 'rappel'
	UNION ALL
	SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)), conrelid::regclass::text, 3
	FROM pg_constraint WHERE connamespace = 'rappel'::regnamespace AND contype IN ('p', 'u', 'f', 'c', 'x')
	UNION ALL
	SELECT indexdef, tablename, 4 FROM pg_indexes WHERE schemaname = 'rappel'
	UNION ALL
	SELECT pg_get_triggerdef(oid), tgrelid::regclass::text, 5 FROM pg_trigger
	WHERE tgrelid::regclass::text LIKE 'rappel.%' AND NOT tgisinternal
	UNION ALL
	SELECT format('function %s(%s) %s', proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid)), '', 0
	FROM pg_proc WHERE pronamespace = 'rappel'::regnamespace
) s ORDER BY replace(t, 'rappel.', ''), sort, line COLLATE "C"`

func schema(t *testing.T, url string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), schemaQuery)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestMigratingFromEmptyGivesTheCommittedSchema(t *testing.T) {
	t.Parallel()
	const golden = "testdata/schema.txt"
	got := schema(t, testenv.Database(t, migrate))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("go test ./internal/postgres -update rewrites %s (-want +got):\n%s", golden, diff)
	}
}

func TestEachStepIsToldAndTakenOnce(t *testing.T) {
	t.Parallel()
	store := open(t, testenv.Database(t, nil))
	if err := store.Ready(t.Context()); !errors.Is(err, postgres.ErrSchema) {
		t.Errorf("an empty database is ready: %v", err)
	}
	before, err := store.Migrations(t.Context())
	if err != nil || len(before) == 0 {
		t.Fatalf("%d steps, %v", len(before), err)
	}
	var told []int64
	done, err := store.Migrate(t.Context(), func(m postgres.Migration) { told = append(told, m.Version) })
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != len(before) || len(done) != len(before) {
		t.Errorf("%d steps, told %d, done %d", len(before), len(told), len(done))
	}
	if again, err := store.Migrate(t.Context(), nil); len(again) > 0 || err != nil {
		t.Errorf("again: %v, %v", again, err)
	}
	after, err := store.Migrations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range after {
		if before[i].Applied || !m.Applied || (i > 0 && after[i-1].Version >= m.Version) {
			t.Errorf("before %+v, after %+v", before[i], m)
		}
	}
	if err := store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSeveralMachinesMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := testenv.Database(t, nil)
	var mu sync.Mutex
	var wait sync.WaitGroup
	steps := 0
	for range 4 {
		store := open(t, url)
		wait.Go(func() {
			done, err := store.Migrate(t.Context(), nil)
			mu.Lock()
			defer mu.Unlock()
			steps += len(done)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all, err := open(t, url).Migrations(t.Context())
	if err != nil || steps != len(all) {
		t.Errorf("%d steps were taken, there are %d: %v", steps, len(all), err)
	}
	if diff := cmp.Diff(schema(t, testenv.Database(t, migrate)), schema(t, url)); diff != "" {
		t.Errorf("another schema than by one machine (-want +got):\n%s", diff)
	}
}

func TestAnOlderProgramServesANewerSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO rappel.migrations (version_id, is_applied) VALUES (29990101000000, true)`)
	if err := w.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if done, err := w.Migrate(t.Context(), nil); len(done) > 0 || err != nil {
		t.Errorf("%v, %v", done, err)
	}
}

func TestADatabaseThatIsAwayIsToldWithoutItsPassword(t *testing.T) {
	t.Parallel()
	store, err := postgres.Open(t.Context(), "postgres://u:hunter2@127.0.0.1:1/x", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	for what, ask := range map[string]func(context.Context) error{
		"writable": store.Writable,
		"ready":    store.Ready,
		"migrate":  func(ctx context.Context) error { _, err := store.Migrate(ctx, nil); return err },
		"server":   func(ctx context.Context) error { _, err := store.Server(ctx); return err },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if err := ask(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := postgres.Open(t.Context(), "postgres://u:hunter2@host:port/x", 0); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestTheDatabasesOwnIdsAreUUIDsOfVersion7InTimeOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, err := w.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.db.Query(t.Context(), `SELECT rappel.uuid_v7() FROM generate_series(1, 2000)`)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		t.Fatal(err)
	}
	after, err := w.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uuid.UUID]bool{}
	var last int64
	for _, id := range ids {
		var ms int64
		for _, b := range id[:6] {
			ms = ms<<8 | int64(b)
		}
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 || seen[id] || ms < last || ms < before.UnixMilli() || ms > after.UnixMilli()+1 {
			t.Fatalf("%s: version %d, variant %s, %d ms after %d", id, id.Version(), id.Variant(), ms, last)
		}
		seen[id], last = true, ms
	}
}
