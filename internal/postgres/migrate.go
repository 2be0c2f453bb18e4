package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed practice_side.sql
var practiceSide string

// A Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings schema rappel up to date and returns the steps it took. It may
// run on several machines at once: one works, the others wait. Progress is told
// of each step as it is done; it may be nil.
func (s *Store) Migrate(ctx context.Context, progress func(Migration)) ([]Migration, error) {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("migrate: create schema rappel: %w", redact(err))
	}
	provider, err := provider(db)
	if err != nil {
		return nil, err
	}
	var done []Migration
	for {
		// One at a time, so that each is told as it is done.
		r, err := provider.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			break
		}
		if err != nil {
			return done, fmt.Errorf("migrate: %w", redact(err))
		}
		m := Migration{Version: r.Source.Version, Name: r.Source.Path, Applied: true}
		done = append(done, m)
		if progress != nil {
			progress(m)
		}
	}
	if _, err := s.pool.Exec(ctx, practiceSide); err != nil {
		return done, fmt.Errorf("migrate: create the practice side: %w", redact(err))
	}
	return done, nil
}

// Migrations tells of every step whether it was applied. It changes nothing.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, err
	}
	var all []Migration
	sources, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, path := range sources {
		version, err := goose.NumericComponent(path)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", path, err)
		}
		all = append(all, Migration{Version: version, Name: path, Applied: applied[version]})
	}
	return all, nil
}

// ErrSchema says that the schema is older than this program needs.
var ErrSchema = errors.New("schema rappel is not up to date: run `rappel migrate`")

// Ready tells whether every migration that this program needs is applied.
func (s *Store) Ready(ctx context.Context) error {
	all, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if !m.Applied {
			return ErrSchema
		}
	}
	return nil
}

// Ahead returns the steps that a newer program took and this one does not know.
func (s *Store) Ahead(ctx context.Context) ([]int64, error) {
	applied, err := s.applied(ctx)
	if err != nil {
		return nil, err
	}
	known, err := s.Migrations(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range known {
		delete(applied, m.Version)
	}
	delete(applied, 0) // with which every table of versions begins
	return slices.Sorted(maps.Keys(applied)), nil
}

const versionTable = "rappel.migrations"

func (s *Store) applied(ctx context.Context) (map[int64]bool, error) {
	done := map[int64]bool{}
	var exists bool
	err := s.pool.QueryRow(ctx, `SELECT to_regclass('rappel.migrations') IS NOT NULL`).Scan(&exists)
	if err != nil || !exists {
		return done, redact(err)
	}
	rows, err := s.pool.Query(ctx, `SELECT version_id FROM rappel.migrations WHERE is_applied`)
	if err != nil {
		return nil, redact(err)
	}
	defer rows.Close()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return nil, err
		}
		done[version] = true
	}
	return done, redact(rows.Err())
}

// prepare creates the schema. Two machines may try at the same moment: the
// second is told that it exists in words that IF NOT EXISTS does not catch.
func (s *Store) prepare(ctx context.Context) error {
	const schemaLock = 7265707065 // any number of our own
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(schemaLock)); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regnamespace('rappel') IS NOT NULL`).Scan(&there); err != nil || there {
		return err // IF NOT EXISTS asks for the right to create also where it does
	}
	if _, err := tx.Exec(ctx, `CREATE SCHEMA rappel`); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	// Who waits asks again every second, for as long as ctx lasts.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 3600), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	store, err := database.NewStore(database.DialectPostgres, versionTable)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	p, err := goose.NewProvider("", db, files, goose.WithStore(store), goose.WithSessionLocker(locker))
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return p, nil
}
