package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/jobs/deliver"
)

// Counts are the books of some messages: where the ledger has them, how many
// the decisions promised, and how many are not accounted for.
type Counts struct {
	Sent        int64 `json:"sent"`
	Delivered   int64 `json:"delivered"`
	Undelivered int64 `json:"undelivered"`
	Failed      int64 `json:"failed"`
	Suppressed  int64 `json:"suppressed"`
	Expired     int64 `json:"expired"`
	Pending     int64 `json:"pending"`
	Sending     int64 `json:"sending"`
	Unknown     int64 `json:"unknown"`
	Planned     int64 `json:"planned"`
	Unaccounted int64 `json:"unaccounted"`
}

// Plus is both together.
func (c Counts) Plus(d Counts) Counts {
	return Counts{
		Sent: c.Sent + d.Sent, Delivered: c.Delivered + d.Delivered, Undelivered: c.Undelivered + d.Undelivered,
		Failed: c.Failed + d.Failed, Suppressed: c.Suppressed + d.Suppressed, Expired: c.Expired + d.Expired,
		Pending: c.Pending + d.Pending, Sending: c.Sending + d.Sending, Unknown: c.Unknown + d.Unknown,
		Planned: c.Planned + d.Planned, Unaccounted: c.Unaccounted + d.Unaccounted,
	}
}

// A Day is the books of one practice for one of its days.
type Day struct {
	PracticeID string // empty: of an event of which nothing is known
	Practice   string // empty: not on the practice side
	Zone       string // as the practice has it
	InUTC      bool   // the database knows no such zone: the day is one of UTC
	Date       time.Time
	Counts
}

// A Span is of what was decided from From on and before To.
type Span struct {
	From, To   time.Time
	PracticeID string // empty: all practices
}

func (s Span) args() []any { return []any{s.From, s.To, null(s.PracticeID)} }

// A Fault is what makes the books not close: a decision with more or fewer rows
// in the ledger than it promised, or an event that no decision answers.
type Fault struct {
	DecisionID    string // empty: an event's
	EventID       string // empty: a decision's
	AppointmentID string // empty: none, or not known
	Planned       int64
	Written       int64
}

// books are the accounts one by one. What was promised comes from the decisions
// alone, and each is held against its own rows: a row too many of one makes no
// row too few of another good. Both sides are read in one pass, by the times
// that one transaction writes into both; a decision that promised nothing
// matters only where the ledger has rows of it, and a row under another practice
// is none of its decision's.
//
// Two things are unaccounted for: the difference between what a decision
// promised and its rows, in either direction; and an event that was answered
// by no decision, as one. An event told twice is answered by the decision about
// the first, and names none where the appointment changed while it was
// answered: a decision of that kind about that appointment is enough. An event
// that was not answered yet promised nothing so far, and a decision that
// somebody deleted with all its rows leaves nothing to compare.
//
// $1 and $2 bound the span, $3 is the practice.
func books() string {
	var each, counted, none strings.Builder
	for _, s := range deliver.Statuses() {
		name := string(s)
		each.WriteString("count(*) FILTER (WHERE status = '" + name + "') AS " + name + ", ")
		counted.WriteString("coalesce(l." + name + ", 0) AS " + name + ", ")
		none.WriteString("0, ")
	}
	return `
WITH ledger AS (
	SELECT decision_id, practice_id, min(created_at) AS at, ` + each.String() + `count(*) AS written
	FROM rappel.notifications
	WHERE created_at >= $1 AND created_at < $2 AND ($3::uuid IS NULL OR practice_id = $3)
	GROUP BY decision_id, practice_id
), promises AS (
	SELECT id, practice_id, decided_at, promised
	FROM rappel.decisions
	WHERE decided_at >= $1 AND decided_at < $2 AND promised > 0 AND ($3::uuid IS NULL OR practice_id = $3)
), unanswered AS (
	SELECT e.id, coalesce(a.practice_id, c.practice_id) AS practice_id, e.planned_at
	FROM rappel.events e
	LEFT JOIN rappel.appointments a ON a.id = e.appointment_id
	LEFT JOIN rappel.clients c ON c.id = e.client_id
	WHERE e.planned_at >= $1 AND e.planned_at < $2 AND e.decision_id IS NULL
		AND ($3::uuid IS NULL OR coalesce(a.practice_id, c.practice_id) = $3)
		AND NOT EXISTS (SELECT FROM rappel.decisions d WHERE d.event_id = e.id)
		AND NOT EXISTS (SELECT FROM rappel.decisions d
			WHERE d.appointment_id = e.appointment_id AND d.kind = e.kind AND d.event_id IS NOT NULL)
), books AS (
	SELECT coalesce(p.id, l.decision_id) AS decision_id, NULL::uuid AS event_id,
		coalesce(p.practice_id, l.practice_id) AS practice_id, coalesce(p.decided_at, l.at) AS at, ` + counted.String() + `
		coalesce(l.written, 0) AS written, coalesce(p.promised, 0) AS planned,
		abs(coalesce(p.promised, 0) - coalesce(l.written, 0)) AS unaccounted
	FROM promises p FULL JOIN ledger l ON l.decision_id = p.id AND l.practice_id = p.practice_id
	UNION ALL
	SELECT NULL, id, practice_id, planned_at, ` + none.String() + `0, 0, 1 FROM unanswered
)`
}

// Account returns the books of a span by practice and day, in the order of days.
// The days are the practices' own.
func (s *Store) Account(ctx context.Context, span Span) ([]Day, error) {
	var sums []string
	for _, status := range deliver.Statuses() {
		sums = append(sums, "sum("+string(status)+")::bigint AS "+string(status))
	}
	rows, err := s.pool.Query(ctx, books()+`, practices AS MATERIALIZED (
			SELECT p.id, p.name::text AS name, p.time_zone::text AS zone, z.name AS known
			FROM rappel.practices p LEFT JOIN pg_timezone_names z ON z.name = p.time_zone::text
		)
		SELECT coalesce(b.practice_id::text, '') AS practice_id, coalesce(p.name, '') AS practice,
			coalesce(p.zone, '') AS zone, p.known IS NULL AS in_utc,
			(b.at AT TIME ZONE coalesce(p.known, 'UTC'))::date AS date,
			`+strings.Join(sums, ", ")+`, sum(planned)::bigint AS planned, sum(unaccounted)::bigint AS unaccounted
		FROM books b LEFT JOIN practices p ON p.id = b.practice_id
		GROUP BY b.practice_id, p.name, p.zone, p.known, date
		ORDER BY date, practice, b.practice_id`, span.args()...)
	if err != nil {
		return nil, redact(err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowToStructByName[Day])
	return days, redact(err)
}

// Faults returns some of what makes the books of a span not close, the oldest
// first.
func (s *Store) Faults(ctx context.Context, span Span, limit int) ([]Fault, error) {
	rows, err := s.pool.Query(ctx, books()+`
		SELECT coalesce(b.decision_id::text, '') AS decision_id, coalesce(b.event_id::text, '') AS event_id,
			coalesce(d.appointment_id::text, e.appointment_id::text, '') AS appointment_id, planned, written
		FROM (SELECT * FROM books WHERE unaccounted > 0 ORDER BY at, decision_id, event_id LIMIT $4) b
		LEFT JOIN rappel.decisions d ON d.id = b.decision_id
		LEFT JOIN rappel.events e ON e.id = b.event_id
		ORDER BY at, b.decision_id, b.event_id`, append(span.args(), limit)...)
	if err != nil {
		return nil, redact(err)
	}
	faults, err := pgx.CollectRows(rows, pgx.RowToStructByName[Fault])
	return faults, redact(err)
}

// Unaccounted is how many messages that were decided since a time are not
// accounted for, by the minute in which they were: as a metric it is 0, and
// anything else is an alarm.
func (s *Store) Unaccounted(ctx context.Context, since time.Time) (map[time.Time]int64, error) {
	span := Span{From: since, To: endOfTime()}
	rows, err := s.pool.Query(ctx, books()+`
		SELECT date_trunc('minute', at), sum(unaccounted)::bigint FROM books WHERE unaccounted > 0 GROUP BY 1`, span.args()...)
	if err != nil {
		return nil, redact(err)
	}
	byMinute := map[time.Time]int64{}
	var minute time.Time
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&minute, &n}, func() error {
		byMinute[minute.UTC()] = n
		return nil
	})
	return byMinute, redact(err)
}
