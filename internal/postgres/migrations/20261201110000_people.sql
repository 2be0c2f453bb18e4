-- One message of a decision to a person on a channel. A client and a contact may
-- have the same id, since each table may count its own rows.
--
-- Built beside the work: nothing waits for it. May be run again after a failure.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_once_each;
CREATE UNIQUE INDEX CONCURRENTLY notifications_once_each ON rappel.notifications
    (decision_id, channel, (contact_id IS NULL), coalesce(contact_id, client_id));
DROP INDEX CONCURRENTLY IF EXISTS rappel.notifications_once;
ALTER INDEX rappel.notifications_once_each RENAME TO notifications_once;
