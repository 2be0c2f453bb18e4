-- One message for a family: what has the same digest hour, practice, channel and
-- address may go together, and what went together points to one of its rows.

-- +goose Up
ALTER TABLE rappel.notifications
    ADD COLUMN digest_hour timestamptz,
    ADD COLUMN sent_with   uuid;
COMMENT ON COLUMN rappel.notifications.digest_hour IS 'the hour whose reminders to one address go in one message; null: it goes alone';
COMMENT ON COLUMN rappel.notifications.sent_with IS 'the notification under whose id the family''s message was sent, which may be this one; null: it went alone';
CREATE INDEX notifications_digest ON rappel.notifications (practice_id, channel, digest_hour, address)
    WHERE status = 'pending' AND digest_hour IS NOT NULL;
CREATE INDEX notifications_sent_with ON rappel.notifications (sent_with) WHERE sent_with IS NOT NULL;
