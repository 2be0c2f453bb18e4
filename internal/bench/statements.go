package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"rappel/internal/services"
)

// countStatements has PostgreSQL count its statements from now on, and what they
// take. That costs some of what is measured: it is for profiles.
func (s *Services) countStatements(ctx context.Context) error {
	if err := s.admin(ctx, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"); err != nil {
		return err
	}
	if err := s.postgres.Restart(ctx, services.Fast); err != nil {
		return fmt.Errorf("a profile needs the extension pg_stat_statements: %w", err)
	}
	return s.admin(ctx, "CREATE EXTENSION pg_stat_statements")
}

// forgetStatements begins to count anew.
func (s *Services) forgetStatements(ctx context.Context) error {
	return s.admin(ctx, "SELECT pg_stat_statements_reset()")
}

// A statement is one, with what it took.
type statement struct {
	Calls       int64
	Millis      float64
	Rows, Pages int64
	Query       string
}

// writeStatements writes which statements took the most of PostgreSQL's time
// since they were forgotten, and how many there were a message.
func (s *Services) writeStatements(ctx context.Context, file string, messages int) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		SELECT calls, total_exec_time, rows, shared_blks_hit + shared_blks_read, query FROM pg_stat_statements
		WHERE dbid <> (SELECT oid FROM pg_database WHERE datname = current_database())
		ORDER BY total_exec_time DESC`)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[statement])
	if err != nil {
		return err
	}
	var calls int64
	var millis float64
	for _, one := range all {
		calls, millis = calls+one.Calls, millis+one.Millis
	}
	n := float64(messages)
	var b strings.Builder
	fmt.Fprintf(&b, "%d messages; a message: %.3f statements, %.1f µs of them\n\n", messages, float64(calls)/n, 1000*millis/n)
	fmt.Fprintln(&b, "µs/message    calls   µs/call  rows/call  pages/call  statement")
	for _, one := range all {
		c := float64(one.Calls)
		fmt.Fprintf(&b, "%10.1f %8d %9.0f %10.1f %11.1f  %s\n", 1000*one.Millis/n, one.Calls, 1000*one.Millis/c,
			float64(one.Rows)/c, float64(one.Pages)/c, strings.Join(strings.Fields(one.Query), " "))
	}
	return os.WriteFile(filepath.Clean(file), []byte(b.String()), 0o600)
}
