package postgres_test

import (
	"context"
	"testing"
	"time"

	"rappel/internal/lookup"
	"rappel/internal/postgres"
	"rappel/jobs/deliver"
	"rappel/jobs/retain"
	"rappel/recipients"
)

// TestNothingReadsAllOfTheLedger does what goes on beside the messages, on a
// ledger of 200,000 in nearly 8,000 pages, each of which has eight indexes: as
// PostgreSQL knows it when all has been sent, and when very much waits. A look at
// a span costs some ranges of 128 pages at least; here, PostgreSQL may take to
// read an index of that size instead.
func TestNothingReadsAllOfTheLedger(t *testing.T) {
	t.Parallel()
	w := newPast(t)
	client, address := w.someone()
	until, hourAgo := w.pastUntil(0), w.pastUntil(time.Hour)
	works := map[string]struct {
		limit int // pages
		do    func(context.Context, *postgres.Store) error
	}{
		"the account of an hour": {1500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Account(ctx, postgres.Span{From: hourAgo, To: until})
			return err
		}},
		"what is unaccounted for": {2500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Unaccounted(ctx, until.Add(-2*time.Minute))
			return err
		}},
		"the counts of an hour": {500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Tally(ctx, hourAgo, until)
			return err
		}},
		"a search for a client": {300, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Search(ctx, lookup.Search{ID: client, AtMost: 50})
			return err
		}},
		"a search for an address, also among all that waits": {2500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Search(ctx, lookup.Search{To: []recipients.Address{numberOf(t, address)}, AtMost: 50})
			return err
		}},
		"what may be replayed of an hour": {500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Ended(ctx, deliver.Selection{From: hourAgo, To: until, Status: deliver.Failed})
			return err
		}},
		"the reconciler's look": {100, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Forgotten(ctx, recipients.SMS, noon(), 2*time.Hour, 5000)
			return err
		}},
		"to forget somebody": {3500, func(ctx context.Context, s *postgres.Store) error {
			_, err := s.Forget(ctx, postgres.Person{ClientID: client}, true)
			return err
		}},
	}
	for _, when := range []string{"when all has been sent", "when very much waits"} {
		for what, work := range works {
			n := w.effort(func(s *postgres.Store) {
				if err := work.do(t.Context(), s); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}).pages
			t.Logf("%s, %s: %d pages", what, when, n)
			if n > work.limit {
				t.Errorf("%s looks at %d pages %s, more than %d", what, n, when, work.limit)
			}
		}
		const crowd = 20_000
		w.waits(crowd)
		w.exec(`VACUUM (ANALYZE)`)
	}
}

// TestRetentionCostsWhatItRemoves removes batch after batch of what is past its
// term, next to what has been dealt with and what has to stay: none may read
// again what another did.
func TestRetentionCostsWhatItRemoves(t *testing.T) {
	t.Parallel()
	w := newPast(t)
	const batch, batches = 50, 8
	const quarter = 10 * 24 * time.Hour / 4 // of the ledger's time, see growth.sql
	for trace, before := range map[retain.Trace]time.Time{
		retain.Addresses: w.pastUntil(quarter - 24*time.Hour),
		retain.Events:    w.pastUntil(quarter - 24*time.Hour),
		retain.Decisions: w.pastUntil(8 * 24 * time.Hour),
	} {
		most := 0
		for range batches {
			n := w.effort(func(s *postgres.Store) {
				removed, more, err := s.Retain(t.Context(), trace, before, batch)
				if err != nil || !more || removed == 0 && trace != retain.Events { // which are put off as well
					t.Fatalf("%s: %d removed, more: %t, %v", trace, removed, more, err)
				}
			}).pages
			most = max(most, n)
		}
		const limit = 60 * batch // a row and what finds it, in eight indexes
		t.Logf("%s: %d pages at most", trace, most)
		if most > limit {
			t.Errorf("a batch of %d %s looks at %d pages, more than %d", batch, trace, most, limit)
		}
	}
}

// someone is a client to whom messages went, and the address of one of them.
func (w *world) someone() (client, address string) {
	w.t.Helper()
	const one = ` FROM rappel.notifications WHERE id = (
		SELECT id FROM growth.messages(growth.rows() - 100, growth.rows()) WHERE channel = 'sms' AND status = 'delivered' LIMIT 1)`
	return w.text(`SELECT client_id` + one), w.text(`SELECT address` + one)
}
