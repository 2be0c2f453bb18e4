package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A ZoneUse is a time zone that rows name, and in how many practices they do.
type ZoneUse struct {
	Name      string
	Practices int
}

// ZonesInUse returns the zones that practices, people and appointments still to
// come have, in the order of their names, also those that do not exist.
func (s *Store) ZonesInUse(ctx context.Context) ([]ZoneUse, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT zone, count(DISTINCT practice) FROM (
			SELECT time_zone::text AS zone, id::text AS practice FROM rappel.practices WHERE active
			UNION SELECT time_zone::text, practice_id::text FROM rappel.appointments WHERE time_zone IS NOT NULL AND starts_at > now()
			UNION SELECT time_zone::text, practice_id::text FROM rappel.clients WHERE time_zone IS NOT NULL
			UNION SELECT time_zone::text, practice_id::text FROM rappel.contacts WHERE time_zone IS NOT NULL
		) AS used
		WHERE zone <> ''
		GROUP BY zone ORDER BY zone`)
	if err != nil {
		return nil, fmt.Errorf("read the time zones in use: %w", redact(err))
	}
	used, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ZoneUse])
	return used, redact(err)
}

// ServerOffsets returns by how many seconds the clocks of zones are ahead of UTC
// by the server's own time zone data: for each zone that the server knows, at
// the times from, from + step and so on, before until.
func (s *Store) ServerOffsets(ctx context.Context, zones []string, from, until time.Time, step time.Duration) (map[string][]int32, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT zone, array_agg(extract(epoch FROM (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC'))::int ORDER BY at)
		FROM unnest($1::text[]) AS zone, generate_series($2::timestamptz, $3::timestamptz - interval '1 microsecond', $4::interval) AS at
		WHERE zone IN (SELECT name FROM pg_timezone_names)
		GROUP BY zone`, zones, from, until, step)
	if err != nil {
		return nil, fmt.Errorf("read the server's time zones: %w", redact(err))
	}
	offsets := map[string][]int32{}
	var zone string
	var seconds []int32
	_, err = pgx.ForEachRow(rows, []any{&zone, &seconds}, func() error {
		offsets[zone] = seconds
		seconds = nil
		return nil
	})
	return offsets, redact(err)
}
