package postgres

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"rappel/internal/schedule"
	"rappel/jobs/plan"
)

// A Server is what is to be known of the database server and of the way to it.
type Server struct {
	Version int    // as one number, such as 150018
	TLS     string // such as "TLS 1.3"; empty: the way is not encrypted
	Known   bool   // the server's certificate was looked at
	Local   bool   // the way does not leave this machine
}

// Server asks the server what it is.
func (s *Store) Server(ctx context.Context) (Server, error) {
	var found Server
	err := s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		found = wayTo(c.Conn().PgConn().Conn(), c.Conn().Config().Config)
		return c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&found.Version)
	})
	if err != nil {
		return Server{}, fmt.Errorf("the database does not answer: %w", redact(err))
	}
	return found, nil
}

// wayTo tells of a connection that is there, and not of what was asked for:
// sslmode=prefer ends up with either.
func wayTo(wire net.Conn, cfg pgconn.Config) Server {
	var s Server
	if encrypted, ok := wire.(*tls.Conn); ok {
		s.TLS = tls.VersionName(encrypted.ConnectionState().Version)
		if set := cfg.TLSConfig; set != nil {
			s.Known = !set.InsecureSkipVerify || set.VerifyPeerCertificate != nil || set.VerifyConnection != nil
		}
	}
	switch addr := wire.RemoteAddr().(type) {
	case *net.UnixAddr:
		s.Local = true
	case *net.TCPAddr:
		s.Local = addr.IP.IsLoopback()
	}
	return s
}

// BrokenRules names active rules of practices that are active: those that can
// never fire, and those of a service that no appointment has.
func (s *Store) BrokenRules(ctx context.Context) (never, doubtful []string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+ruleColumns+`, p.id IS NOT NULL, coalesce(p.late_booking::text, '')
		FROM rappel.rules r LEFT JOIN rappel.practices p ON p.id = r.practice_id
		WHERE r.active AND (p.id IS NULL OR p.active) ORDER BY r.id`)
	if err != nil {
		return nil, nil, fmt.Errorf("read the rules: %w", redact(err))
	}
	defer rows.Close()
	for rows.Next() {
		var known bool
		var policy schedule.Policy
		r, err := scanRule(rows, &known, &policy.LateBooking)
		if err != nil {
			return nil, nil, redact(err)
		}
		why := mute(r, policy)
		if !known {
			why = append(why, "its practice is not there")
		}
		if len(why) > 0 {
			never = append(never, fmt.Sprintf("rule %s can never fire: %s", r.ID, strings.Join(why, ", ")))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, redact(err)
	}
	doubtful, err = s.idleRules(ctx)
	return never, doubtful, err
}

// mute says why a rule never speaks.
func mute(r plan.Rule, p schedule.Policy) []string {
	if err := r.Valid(); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	least, most := r.Reach()
	switch {
	case r.Anchor == schedule.AnchorStart && (r.Minutes != nil && least > 0 || r.Days != nil && *r.Days > 0):
		return []string{"it is due after the start, when nothing about the visit goes any more: anchor it at the end, or make its offset negative"}
	case r.Anchor == schedule.AnchorBooked && p.LateBooking != schedule.Grace && (r.Minutes != nil && most < 0 || r.Days != nil && *r.Days < 0):
		return []string{"it is due before the booking: make its offset positive"}
	}
	return nil
}

// idleRules names the rules for a service that no appointment of their practice
// has: a name is compared letter by letter.
func (s *Store) idleRules(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.id FROM rappel.rules r JOIN rappel.practices p ON p.id = r.practice_id
		WHERE r.active AND p.active AND r.service_name::text <> '' AND NOT EXISTS (
			SELECT FROM rappel.appointments a
			WHERE a.practice_id = r.practice_id AND a.service_name::text = r.service_name::text)
		ORDER BY r.id`)
	if err != nil {
		return nil, fmt.Errorf("read the rules of single services: %w", redact(err))
	}
	idle, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var id string
		err := row.Scan(&id)
		return fmt.Sprintf("rule %s is for a service_name that no appointment of its practice has", id), err
	})
	return idle, redact(err)
}

// DoubtfulPractices names settings of active practices that count as something
// else than what they seem to say.
func (s *Store) DoubtfulPractices(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, coalesce(late_booking::text, ''), coalesce(settle_seconds, 0)::bigint, sms_opens, sms_closes
		FROM rappel.practices WHERE active ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read the practices: %w", redact(err))
	}
	var (
		id, lateBooking string
		settle          int64
		opens, closes   pgtype.Time
		doubtful        []string
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &lateBooking, &settle, &opens, &closes}, func() error {
		for _, why := range doubts(lateBooking, settle, schedule.Window{Opens: clock(opens), Closes: clock(closes)}) {
			doubtful = append(doubtful, "practice "+id+": "+why)
		}
		return nil
	})
	return doubtful, redact(err)
}

func doubts(lateBooking string, settle int64, w schedule.Window) []string {
	var why []string
	if lateBooking != "" && lateBooking != "skip" && lateBooking != schedule.Grace {
		why = append(why, fmt.Sprintf("late_booking %.40q is neither skip nor grace, and counts as skip", lateBooking))
	}
	if settle < 0 {
		why = append(why, "settle_seconds is negative, and counts as 0")
	}
	if odd := oddWindow(w); odd != "" {
		why = append(why, odd)
	}
	return why
}

// oddWindow says what people may not have meant by a window. Two nulls are
// plainly none.
func oddWindow(w schedule.Window) string {
	const shortest, night = 60, 12 * 60 // minutes
	switch {
	case w.Opens == nil && w.Closes == nil:
		return ""
	case w.Opens == nil || w.Closes == nil:
		return "one of sms_opens and sms_closes is null, so there is no window, and SMS go at any hour"
	case !w.Exists():
		return fmt.Sprintf("sms_opens %s and sms_closes %s are the same time of day, which is no window, not a closed day: SMS go at any hour; null for both says so plainly", w.Opens, w.Closes)
	}
	open := (w.Closes.Hour-w.Opens.Hour)*60 + w.Closes.Minute - w.Opens.Minute
	switch {
	case open < 0 && open+24*60 < night:
		return fmt.Sprintf("SMS go in the night only, from %s to %s: are sms_opens and sms_closes the wrong way round?", w.Opens, w.Closes)
	case open >= 0 && open < shortest:
		return fmt.Sprintf("SMS go from %s to %s only: much will not find room", w.Opens, w.Closes)
	}
	return ""
}

// UnknownZones names zones that do not exist: those of practices, without which
// nothing timed goes out, and those of appointments and people, in whose place
// the practice's is used.
func (s *Store) UnknownZones(ctx context.Context) (practices, others []string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT 'practice', coalesce(time_zone::text, ''), id::text FROM rappel.practices WHERE active
		UNION SELECT 'appointment', time_zone::text, '' FROM rappel.appointments WHERE time_zone IS NOT NULL AND starts_at > now()
		UNION SELECT 'client', time_zone::text, '' FROM rappel.clients WHERE time_zone IS NOT NULL
		UNION SELECT 'contact', time_zone::text, '' FROM rappel.contacts WHERE time_zone IS NOT NULL
		ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, nil, fmt.Errorf("read the zones: %w", redact(err))
	}
	var of, name, id string
	_, err = pgx.ForEachRow(rows, []any{&of, &name, &id}, func() error {
		if _, ok := s.zones.Load(name); ok {
			return nil
		}
		line := fmt.Sprintf("no zone is called %.60q (%s)", name, strings.TrimSpace(of+" "+id))
		if of == "practice" {
			practices = append(practices, line)
		} else {
			others = append(others, line)
		}
		return nil
	})
	return practices, others, redact(err)
}
