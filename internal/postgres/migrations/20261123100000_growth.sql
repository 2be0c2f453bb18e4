-- What a ledger of years needs to stay as quick as one of a week. What is past
-- its term is found in the order in which it falls due: without these indexes,
-- each batch of the retention read again all that the batches before it had
-- dealt with, and in an old ledger that is most of it.
--
-- Built beside the work: nothing waits for it. May be run again after a failure.

-- +goose NO TRANSACTION
-- +goose Up
-- Messages that have ended and still have their address, by when they were last
-- of use: the ninety newest days of the ledger, and no more.
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_ended;
CREATE INDEX CONCURRENTLY notifications_ended ON rappel.notifications (greatest(created_at, sent_at, starts_at))
    WHERE address <> 'forgotten' AND status NOT IN ('pending', 'sending') AND repeat_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS rappel.decisions_ended;
CREATE INDEX CONCURRENTLY decisions_ended ON rappel.decisions (greatest(decided_at, starts_at));
DROP INDEX CONCURRENTLY IF EXISTS rappel.events_planned;
CREATE INDEX CONCURRENTLY events_planned ON rappel.events (look_at) WHERE planned_at IS NOT NULL;
COMMENT ON COLUMN rappel.events.look_at IS 'not taken before: moved on while the appointment is not there yet; of a planned one, the retention does not look at it before';
DROP INDEX CONCURRENTLY IF EXISTS rappel.replies_settled;
CREATE INDEX CONCURRENTLY replies_settled ON rappel.replies (settled_at) WHERE settled_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rappel.unusable_addresses_refused;
CREATE INDEX CONCURRENTLY unusable_addresses_refused ON rappel.unusable_addresses (refused_at);
-- What events hold of a person who is to be forgotten.
DROP INDEX CONCURRENTLY IF EXISTS rappel.events_client;
CREATE INDEX CONCURRENTLY events_client ON rappel.events (client_id) WHERE client_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rappel.events_contact;
CREATE INDEX CONCURRENTLY events_contact ON rappel.events (contact_id) WHERE contact_id IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS rappel.events_telling;
CREATE INDEX CONCURRENTLY events_telling ON rappel.events (appointment_id) WHERE data <> '{}' AND appointment_id IS NOT NULL;
-- The days of the ledger: a quarter of the ranges. All of them are read for each
-- look at a day, which with ranges of 32 pages cost more than the day's messages.
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_created_ranges;
CREATE INDEX CONCURRENTLY notifications_created_ranges ON rappel.notifications
    USING brin (created_at timestamptz_minmax_multi_ops) WITH (pages_per_range = 128, autosummarize = on);
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_created;
ALTER INDEX rappel.notifications_created_ranges RENAME TO notifications_created;
