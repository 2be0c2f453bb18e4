package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ServerVersion returns the server's version as one number, such as 150018.
func (s *Store) ServerVersion(ctx context.Context) (int, error) {
	var version int
	if err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return 0, fmt.Errorf("the database does not answer: %w", redact(err))
	}
	return version, nil
}

// contract returns the practice side's tables with the columns that rappel
// reads and their types, as PostgreSQL calls them.
func contract() map[string]map[string]string {
	const (
		id, text, yesNo, number, instant, clock = "uuid", "text", "boolean", "integer", "timestamp with time zone", "time without time zone"
	)
	return map[string]map[string]string{
		"practices": {
			"id": id, "name": text, "time_zone": text, "country": text, "phone": text, "email": text, "locale": text,
			"sms_opens": clock, "sms_closes": clock, "late_booking": text, "channel_fallback": yesNo,
			"family_digest": yesNo, "settle_seconds": number, "active": yesNo,
		},
		"practitioners": {"id": id, "practice_id": id, "name": text, "email": text},
		"clients": {
			"id": id, "practice_id": id, "first_name": text, "last_name": text, "preferred_name": text, "email": text,
			"phone": text, "preferred_method": text, "time_zone": text, "locale": text, "receives_reminders": yesNo,
			"receives_confirmations": yesNo, "receives_scheduled": yesNo, "do_not_contact": yesNo, "archived_at": instant,
		},
		"contacts": {
			"id": id, "practice_id": id, "client_id": id, "first_name": text, "last_name": text, "email": text,
			"phone": text, "time_zone": text, "locale": text,
		},
		"client_contacts": {
			"client_id": id, "contact_id": id, "relationship": text, "position": number, "receives_reminders": yesNo,
			"receives_confirmations": yesNo, "receives_scheduled": yesNo, "can_manage_appointments": yesNo,
			"portal_access": yesNo, "can_message": yesNo, "can_view_forms": yesNo, "can_view_documents": yesNo,
			"can_manage_billing": yesNo,
		},
		"appointments": {
			"id": id, "practice_id": id, "client_id": id, "practitioner_id": id, "service_name": text,
			"location_name": text, "location_address": text, "telehealth_url": text, "manage_url": text,
			"starts_at": instant, "ends_at": instant, "time_zone": text, "status": text, "notify": yesNo,
			"revision": "bigint", "booked_at": instant, "updated_at": instant, "start_set_at": instant,
		},
		"rules": {
			"id": id, "practice_id": id, "kind": text, "name": text, "anchor": text, "offset_minutes": number,
			"offset_days": number, "at_time": clock, "template": text, "service_name": text, "active": yesNo,
			"updated_at": instant,
		},
		"templates": {
			"id": id, "practice_id": id, "name": text, "channel": text, "audience": text, "locale": text,
			"subject": text, "body": text, "version": number, "active": yesNo, "updated_at": instant,
		},
	}
}

// alike says which types serve as well as the contract's own; enums count as
// text.
func alike(want, got string) bool {
	switch want {
	case "text":
		return slices.Contains([]string{"text", "character varying", "character", "name", "citext"}, got)
	case "integer", "bigint":
		return slices.Contains([]string{"smallint", "integer", "bigint"}, got)
	}
	return want == got
}

// ContractBreaches names tables and columns of the practice side that are
// missing or of another type, whether they are tables or views.
func (s *Store) ContractBreaches(ctx context.Context) ([]string, error) {
	there, err := s.columnTypes(ctx)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for table, columns := range contract() {
		if there[table] == nil {
			wrong = append(wrong, fmt.Sprintf("rappel.%s is missing: run `rappel migrate`, or make it a view", table))
			continue
		}
		for column, want := range columns {
			got, ok := there[table][column]
			switch {
			case !ok:
				wrong = append(wrong, fmt.Sprintf("rappel.%s lacks column %s (%s)", table, column, want))
			case !alike(want, got):
				wrong = append(wrong, fmt.Sprintf("rappel.%s.%s is %s, not %s", table, column, got, want))
			}
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

func (s *Store) columnTypes(ctx context.Context) (map[string]map[string]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.relname, a.attname, CASE WHEN t.typtype = 'e' THEN 'text' ELSE format_type(t.oid, NULL) END
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_catalog.pg_type base ON base.oid = a.atttypid
		JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN base.typtype = 'd' THEN base.typbasetype ELSE base.oid END
		WHERE n.nspname = 'rappel' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`)
	if err != nil {
		return nil, fmt.Errorf("read the columns of schema rappel: %w", redact(err))
	}
	there := map[string]map[string]string{}
	var table, column, dataType string
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &dataType}, func() error {
		if there[table] == nil {
			there[table] = map[string]string{}
		}
		there[table][column] = dataType
		return nil
	})
	return there, redact(err)
}

// BrokenRules names active rules that can never fire.
func (s *Store) BrokenRules(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+ruleColumns+` FROM rappel.rules r WHERE r.active ORDER BY r.id`)
	if err != nil {
		return nil, fmt.Errorf("read the rules: %w", redact(err))
	}
	defer rows.Close()
	var broken []string
	for rows.Next() {
		r, err := scanRule(rows)
		if err != nil {
			return nil, redact(err)
		}
		if err := r.Valid(); err != nil {
			broken = append(broken, fmt.Sprintf("rule %s can never fire: %v", r.ID, err))
		}
	}
	return broken, redact(rows.Err())
}

// UnknownZones names zones that do not exist: those of practices, without which
// nothing timed goes out, and those of appointments and people, in whose place
// the practice's is used.
func (s *Store) UnknownZones(ctx context.Context) (practices, others []string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT 'practice', coalesce(time_zone, '') FROM rappel.practices WHERE active
		UNION SELECT DISTINCT 'appointment', time_zone FROM rappel.appointments WHERE time_zone IS NOT NULL AND starts_at > now()
		UNION SELECT DISTINCT 'client', time_zone FROM rappel.clients WHERE time_zone IS NOT NULL
		UNION SELECT DISTINCT 'contact', time_zone FROM rappel.contacts WHERE time_zone IS NOT NULL
		ORDER BY 1, 2`)
	if err != nil {
		return nil, nil, fmt.Errorf("read the zones: %w", redact(err))
	}
	var of, name string
	_, err = pgx.ForEachRow(rows, []any{&of, &name}, func() error {
		if _, ok := s.zones.Load(name); ok {
			return nil
		}
		line := fmt.Sprintf("no zone is called %q (%s)", name, of)
		if of == "practice" {
			practices = append(practices, line)
		} else {
			others = append(others, line)
		}
		return nil
	})
	return practices, others, redact(err)
}
