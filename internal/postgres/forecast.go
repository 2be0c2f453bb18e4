package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"rappel/internal/schedule"
	"rappel/jobs/forecast"
	"rappel/jobs/sweep"
)

// readOnly is a transaction that sees one moment and cannot write.
func readOnly() pgx.TxOptions {
	return pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
}

// look runs work in a transaction that sees one moment and cannot write.
func (s *Store) look(ctx context.Context, work func(pgx.Tx) error) error {
	return redact(pgx.BeginTxFunc(ctx, s.pool, readOnly(), work))
}

// View implements forecast.Store.
func (s *Store) View(ctx context.Context, look func(forecast.View) error) error {
	return s.look(ctx, func(tx pgx.Tx) error { return look(&view{store: s, tx: tx}) })
}

// A view is the store as one transaction sees it.
type view struct {
	store *Store
	tx    pgx.Tx
	rules map[string]ownRule // by id; read at the first use
	of    string             // the practice that they were read for
}

// An ownRule is a rule with what a forecast shows of it.
type ownRule struct {
	forecast.Matter

	practiceID string
}

// Mark implements forecast.View.
func (v *view) Mark(ctx context.Context) (time.Time, error) { return markOf(ctx, v.tx) }

// A pair is a rule and an appointment.
type pair struct{ ruleID, appointmentID string }

// page is of how many appointments all that bears on them is held at once.
const page = 500

// Near implements forecast.View.
func (v *view) Near(ctx context.Context, span sweep.Span, practiceID string, yield func(forecast.Matter)) (int, error) {
	if err := v.learn(ctx, practiceID); err != nil {
		return 0, err
	}
	pairs, err := v.pairs(ctx, span, practiceID)
	if err != nil {
		return 0, err
	}
	for rest := pairs; len(rest) > 0; {
		n := pageEnd(rest)
		if err := v.page(ctx, rest[:n], yield); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(pairs), nil
}

// pageEnd is how many of pairs, which are in the order of appointments, make
// the next page.
func pageEnd(pairs []pair) int {
	appointments := 0
	for i := range pairs {
		if i == 0 || pairs[i].appointmentID != pairs[i-1].appointmentID {
			appointments++
		}
		if appointments > page {
			return i
		}
	}
	return len(pairs)
}

func (v *view) page(ctx context.Context, pairs []pair, yield func(forecast.Matter)) error {
	var wanted []subject
	for i, p := range pairs {
		if i == 0 || p.appointmentID != pairs[i-1].appointmentID {
			wanted = append(wanted, subject{appointmentID: p.appointmentID})
		}
	}
	known, err := v.store.snapshots(ctx, v.tx, wanted)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		rule, ok := v.rules[p.ruleID]
		if snapshot := known[subject{appointmentID: p.appointmentID}]; ok && snapshot != nil {
			m := rule.Matter
			m.Snapshot = snapshot
			yield(m)
		}
	}
	return nil
}

// Pending implements forecast.View.
func (v *view) Pending(ctx context.Context, span sweep.Span, practiceID string, now time.Time, yield func(forecast.Pending)) error {
	if err := v.learn(ctx, practiceID); err != nil {
		return err
	}
	rows, err := v.tx.Query(ctx, `
		WITH waiting AS (
			SELECT `+unclaimed+` FROM rappel.notifications n
			WHERE status = 'pending' AND channel IN ('sms', 'email') AND not_before >= $2 AND not_before < $3
				AND rule_id IS NOT NULL AND ($4::uuid IS NULL OR practice_id = $4)
		)`+ofLedger("waiting", overtaken("$1")), now, span.From, span.To, null(practiceID))
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, scanNotification)
	if err != nil {
		return err
	}
	var wanted []subject
	for _, n := range all {
		wanted = append(wanted, aboutWhat(n))
	}
	known, err := v.store.snapshots(ctx, v.tx, unique(wanted))
	if err != nil {
		return err
	}
	for _, n := range all {
		yield(forecast.Pending{Notification: n, RuleName: v.rules[n.RuleID].RuleName, Snapshot: known[aboutWhat(n)]})
	}
	return nil
}

// pairs finds what the sweep would find at some moment in span.
func (v *view) pairs(ctx context.Context, span sweep.Span, practiceID string) ([]pair, error) {
	tx, err := v.tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // which ends what sweeping sets
	if _, err := tx.Exec(ctx, sweeping); err != nil {
		return nil, err
	}
	offsets, err := v.store.offsets(ctx, tx, scope{})
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, offsets)
	if err != nil {
		return nil, err
	}
	all, err := scanOffsets(rows)
	if err != nil {
		return nil, err
	}
	looks, err := inWords(sweep.Wide(span, all))
	if err != nil {
		return nil, err
	}
	return undecidedPairs(ctx, tx, span, looks, practiceID)
}

// undecidedPairs are in the order of appointments.
func undecidedPairs(ctx context.Context, tx pgx.Tx, span sweep.Span, looks []byte, practiceID string) ([]pair, error) {
	args, practices := []any{span.From, span.To, looks}, `true`
	if practiceID != "" {
		args, practices = append(args, practiceID), `practice_id = $4`
	}
	rows, err := tx.Query(ctx, `WITH `+near(practices)+`
		SELECT DISTINCT a.rule_id, a.id
		FROM near a
		WHERE `+undecided+`
		ORDER BY a.id, a.rule_id`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p pair, err error) {
		return p, row.Scan(&p.ruleID, &p.appointmentID)
	})
}

// learn reads the active rules of a practice, or of all.
func (v *view) learn(ctx context.Context, practiceID string) error {
	if v.rules != nil && v.of == practiceID {
		return nil
	}
	rules, err := ownRules(ctx, v.tx, practiceID)
	if err != nil {
		return err
	}
	v.of, v.rules = practiceID, map[string]ownRule{}
	for _, r := range rules {
		v.rules[r.Rule.ID] = r
	}
	return nil
}

// ownRules reads the active rules of a practice, or of all, each with those
// that may take its place.
func ownRules(ctx context.Context, tx pgx.Tx, practiceID string) ([]ownRule, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+ruleColumns+`, r.practice_id, coalesce(r.name::text, '') FROM rappel.rules r
		WHERE r.active AND ($1::uuid IS NULL OR r.practice_id = $1) ORDER BY r.id`, null(practiceID))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []ownRule
	siblings := map[string][]schedule.Rule{}
	for rows.Next() {
		var r ownRule
		if r.Rule, err = scanRule(rows, &r.practiceID, &r.RuleName); err != nil {
			return nil, err
		}
		if r.Rule.Valid() == nil {
			all = append(all, r)
			siblings[r.practiceID] = append(siblings[r.practiceID], r.Rule.Rule)
		}
	}
	for i := range all {
		all[i].Rule.Siblings = siblings[all[i].practiceID]
	}
	return all, rows.Err()
}

// Zones returns the names of the time zones of a practice, or of all practices,
// each once; none where there is no such practice.
func (s *Store) Zones(ctx context.Context, practiceID string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT coalesce(time_zone::text, '') FROM rappel.practices
		WHERE $1::uuid IS NULL OR id = $1`, null(practiceID))
	if err != nil {
		return nil, redact(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	slices.Sort(names)
	return names, redact(err)
}

// Zone finds the zone with an IANA name.
func (s *Store) Zone(name string) (*time.Location, bool) { return s.zones.Load(name) }

var _ forecast.Store = (*Store)(nil)
