package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/lookup"
	"rappel/recipients"
)

// Tally counts the messages that were decided in a span, by what became of
// them. The block ranges of notifications_created bound it to the span's part of
// the ledger.
func (s *Store) Tally(ctx context.Context, from, until time.Time) ([]lookup.Count, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT status, coalesce(reason, ''), count(*)
		FROM rappel.notifications WHERE created_at >= $1 AND created_at < $2
		GROUP BY status, reason ORDER BY count(*) DESC, status, reason`, from, until)
	if err != nil {
		return nil, redact(err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Count])
	return counts, redact(err)
}

// DueByHour counts what waits to go before until, by hours from hour on; what could
// have gone before now is overdue. It reads notifications_pending alone, which
// holds what is open and nothing else.
func (s *Store) DueByHour(ctx context.Context, now, hour, until time.Time) ([]lookup.Due, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT CASE WHEN not_before >= $1 THEN date_bin('1 hour', not_before, $2) END AS hour, channel, count(*)
		FROM rappel.notifications
		WHERE status = 'pending' AND channel IN ('sms', 'email') AND not_before < $3
		GROUP BY 1, channel ORDER BY 1 NULLS FIRST, channel`, now, hour, until)
	if err != nil {
		return nil, redact(err)
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d lookup.Due, err error) {
		var at *time.Time
		err = row.Scan(&at, &d.Channel, &d.N)
		d.Hour = value(at)
		return d, err
	})
	return due, redact(err)
}

// errEverything says that a search would read all of the ledger.
var errEverything = errors.New("search messages: an id, an address or a span must be given")

// Search finds messages, the newest first.
func (s *Store) Search(ctx context.Context, q lookup.Search) ([]lookup.Message, error) {
	w, err := wanted(q)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT `+messageColumns+` FROM rappel.notifications n
		WHERE `+strings.Join(w.conditions, " AND ")+`
		ORDER BY n.created_at DESC, n.id DESC LIMIT `+w.arg(q.AtMost), w.args...)
	if err != nil {
		return nil, fmt.Errorf("search messages: %w", redact(err))
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m lookup.Message, err error) {
		return m, scanFound(row, &m)
	})
	return found, redact(err)
}

// A where is the conditions of a search, with their arguments.
type where struct {
	conditions []string
	args       []any
}

// arg adds an argument and returns its place.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("$%d", len(w.args))
}

// and adds a condition, in which %s is the argument's place.
func (w *where) and(condition string, v any) {
	w.conditions = append(w.conditions, strings.ReplaceAll(condition, "%s", w.arg(v)))
}

// Each of these narrows a search to what an index finds; the other conditions
// are weighed on what it found.
const (
	// The primary key, notifications_appointment, notifications_client and
	// notifications_contact, put together.
	withID = `(n.id = %s OR n.appointment_id = %s OR n.client_id = %s OR n.contact_id = %s)`
	// What was sent, by notifications_address; what waits or is being sent, among
	// the open. What was never sent is found in its span only.
	toAddress = `n.id IN (
		SELECT id FROM rappel.notifications WHERE sent_at IS NOT NULL AND address = ANY (%s)
		UNION SELECT id FROM rappel.notifications WHERE status = 'pending' AND channel IN ('sms', 'email') AND address = ANY (%s)
		UNION SELECT id FROM rappel.notifications WHERE status = 'sending' AND claimed_until IS NOT NULL AND address = ANY (%s))`
	// The block ranges of notifications_created.
	decidedFrom, decidedUntil = `n.created_at >= %s`, `n.created_at < %s`
)

func wanted(q lookup.Search) (*where, error) {
	w := &where{}
	spanned := !q.From.IsZero() && !q.Until.IsZero()
	if spanned {
		w.and(decidedFrom, q.From)
		w.and(decidedUntil, q.Until)
	}
	if q.ID != "" {
		w.and(withID, q.ID)
	}
	switch to := spellings(q.To); {
	case len(q.To) == 0:
	case spanned:
		w.and(`n.address = ANY (%s)`, to)
	default:
		w.and(toAddress, to)
	}
	if len(w.conditions) == 0 {
		return nil, errEverything
	}
	for _, c := range []struct{ condition, value string }{
		{`n.status = %s`, q.Status},
		{`n.reason = %s`, string(q.Reason)},
		{`n.kind = %s`, string(q.Kind)},
		{`n.channel = %s`, string(q.Channel)},
	} {
		if c.value != "" {
			w.and(c.condition, c.value)
		}
	}
	if q.After != (lookup.Place{}) {
		w.and(`(n.created_at, n.id) < (%s, `+w.arg(q.After.ID)+`)`, q.After.CreatedAt)
	}
	return w, nil
}

// spellings are the addresses as the ledger may have them.
func spellings(all []recipients.Address) []string {
	var s []string
	for _, a := range all {
		s = append(s, a.Reveal(), strings.ToLower(a.Reveal()))
	}
	return unique(s)
}

const messageColumns = `n.id, n.decision_id, n.practice_id, n.client_id, coalesce(n.contact_id::text, ''), coalesce(n.appointment_id::text, ''),
	coalesce(n.event_id::text, ''), coalesce(n.rule_id::text, ''), n.kind, n.channel, n.address, n.status, coalesce(n.reason, ''),
	n.created_at, n.not_before, n.not_after, n.sent_at, n.delivered_at`

// scanFound reads messageColumns, and after them what else was asked for.
func scanFound(row pgx.Row, m *lookup.Message, more ...any) error {
	var address string
	var until, sent, delivered *time.Time
	err := row.Scan(append([]any{
		&m.ID, &m.DecisionID, &m.PracticeID, &m.ClientID, &m.ContactID, &m.AppointmentID,
		&m.EventID, &m.RuleID, &m.Kind, &m.Channel, &address, &m.Status, &m.Reason,
		&m.CreatedAt, &m.NotBefore, &until, &sent, &delivered,
	}, more...)...)
	m.NotAfter, m.SentAt, m.DeliveredAt = value(until), value(sent), value(delivered)
	if to, bad := recipients.ParseAddress(m.Channel, address, ""); bad == nil {
		m.Address = to
	}
	return err
}

// Countries returns the countries of the practices, each once: a number without
// a prefix may be of any of them.
func (s *Store) Countries(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT coalesce(country::text, '') FROM rappel.practices ORDER BY 1`)
	if err != nil {
		return nil, redact(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, redact(err)
}
