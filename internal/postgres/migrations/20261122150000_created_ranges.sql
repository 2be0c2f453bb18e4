-- The days of the ledger, found in a large one. Each message is rewritten a few
-- times, and takes the place of older ones: with only the first and the last
-- time of each range of blocks kept, as the first index did, a range soon spans
-- many days, and new ranges were not in it at all until the next vacuum, weeks
-- later. This one keeps several spans of time for each range, and adds new
-- ranges as they are filled. It is as small: a few hundred kilobytes for
-- millions of messages.
--
-- Built beside the work: nothing waits for it. May be run again after a failure.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_created_ranges;
CREATE INDEX CONCURRENTLY notifications_created_ranges ON rappel.notifications
    USING brin (created_at timestamptz_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on);
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_created;
ALTER INDEX rappel.notifications_created_ranges RENAME TO notifications_created;
-- Decisions are never rewritten: their ranges only have to be there in time.
ALTER INDEX rappel.decisions_decided SET (autosummarize = on);
