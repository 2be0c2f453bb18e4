package behaviour_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
)

// ledger tells of every notification what it is, whom it is for and what became
// of it, in words, sorted.
func (w *world) ledger(ctx context.Context) []string {
	w.t.Helper()
	rows, err := w.db.Query(ctx, `
		SELECT kind, coalesce(contact_id, client_id), channel, status, coalesce(', ' || reason, '') FROM rappel.notifications`)
	if err != nil {
		w.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var kind, person, channel, status, reason string
		err := row.Scan(&kind, &person, &channel, &status, &reason)
		return kind + " to " + w.names[person] + " by " + channel + ": " + status + reason, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// expectLedger fails the test unless the ledger holds these lines and no other.
func (w *world) expectLedger(want ...string) {
	w.t.Helper()
	w.settle()
	slices.Sort(want)
	if diff := cmp.Diff(want, w.ledger(w.t.Context()), cmpopts.EquateEmpty()); diff != "" {
		w.t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// A candidate is one of a decision's, as the contract has it.
type candidate struct {
	Recipient, ID, Outcome string
	Channel                *string
	Reasons                []string
}

// expectDecision fails the test unless the newest decision of this kind about
// the appointment has this outcome and these candidates, in this order. Each is
// given as "client Ann by sms: send" or "contact Bob by email: no_address opted_out".
func (w *world) expectDecision(kind, appointment, outcome string, candidates ...string) {
	w.t.Helper()
	w.settle()
	var got string
	var list []byte
	err := w.db.QueryRow(w.t.Context(), `SELECT outcome, candidates FROM rappel.decisions
		WHERE kind = $1 AND appointment_id = $2 ORDER BY decided_at DESC, id DESC LIMIT 1`, kind, appointment).Scan(&got, &list)
	if err != nil {
		w.t.Errorf("no decision about %s: %v", kind, err)
		return
	}
	w.compare(kind, append([]string{outcome}, candidates...), append([]string{got}, w.candidates(list)...))
}

// decided tells of each rule's decisions about an appointment why it was made
// or not, in words: "notify", "skipped: late_booking".
func (w *world) decided(rule, appointment string) string {
	w.t.Helper()
	rows, err := w.db.Query(w.t.Context(), `SELECT outcome || coalesce(': ' || string_agg(DISTINCT reason, ' '), '')
		FROM rappel.decisions d
		LEFT JOIN LATERAL jsonb_array_elements(d.candidates) c ON true
		LEFT JOIN LATERAL jsonb_array_elements_text(c -> 'reasons') reason ON true
		WHERE rule_id = $1 AND appointment_id = $2 GROUP BY d.id, outcome ORDER BY d.id`, rule, appointment)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, "; ")
}

func (w *world) compare(what string, want, got []string) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("decision about %s (-want +got):\n%s", what, diff)
	}
}

func (w *world) candidates(list []byte) []string {
	w.t.Helper()
	strict := json.NewDecoder(bytes.NewReader(list))
	strict.DisallowUnknownFields()
	var all []candidate
	if err := strict.Decode(&all); err != nil {
		w.t.Fatalf("candidates are not as in the contract: %v\n%s", err, list)
	}
	var lines []string
	for _, c := range all {
		line := c.Recipient + " " + w.names[c.ID]
		if c.Channel != nil {
			line += " by " + *c.Channel
		}
		if (c.Outcome == "send") != (len(c.Reasons) == 0) {
			w.t.Errorf("outcome and reasons do not go together: %s", list)
		}
		lines = append(lines, line+": "+strings.Join(append(c.Reasons, c.Outcome)[:max(len(c.Reasons), 1)], " "))
	}
	return lines
}

// expectAnswer fails the test unless the event was answered by a decision with
// this outcome, whose candidates or detail hold the words. An empty outcome
// means that it was not answered yet.
func (w *world) expectAnswer(event, outcome string, words ...string) {
	w.t.Helper()
	w.settle()
	got := w.value(`SELECT coalesce((SELECT outcome || ': ' || coalesce(detail, '') || candidates::text FROM rappel.decisions WHERE event_id = $1), '')`, event)
	if before, _, _ := strings.Cut(got, ":"); before != outcome {
		w.t.Errorf("the event was answered by %q, not by %q", got, outcome)
	}
	for _, word := range words {
		if !strings.Contains(got, word) {
			w.t.Errorf("the event was answered by %q, without a word of %q", got, word)
		}
	}
}
