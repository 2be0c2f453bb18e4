-- What a message that may have gone, a delivery receipt, a reply and a replay
-- leave behind, the books of what was planned, and the life of a notification
-- held by the database itself.

-- +goose Up
ALTER TABLE rappel.notifications
    ADD COLUMN via           text,
    ADD COLUMN repeat_at     timestamptz,
    ADD COLUMN repeated_at   timestamptz,
    ADD COLUMN replayed_at   timestamptz,
    ADD COLUMN settled_claim uuid,
    ADD COLUMN history       jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT notifications_only_unknown_repeats CHECK (repeat_at IS NULL OR status = 'unknown');
COMMENT ON COLUMN rappel.notifications.via IS 'the way out of the last attempt: admin, twilio or sendgrid';
COMMENT ON COLUMN rappel.notifications.repeat_at IS 'of unknown: when it is sent once more; null: never';
COMMENT ON COLUMN rappel.notifications.repeated_at IS 'when a message that may have gone was sent once more: the person may have it twice';
COMMENT ON COLUMN rappel.notifications.replayed_at IS 'when somebody had it sent again with rappel replay';
COMMENT ON COLUMN rappel.notifications.settled_claim IS 'the claim that was recorded last, or was under way when the receiver told what became of the message';
COMMENT ON COLUMN rappel.notifications.history IS 'attempts that did not end in sent, receipts and replays, the newest 50; no personal data';
CREATE INDEX notifications_repeat ON rappel.notifications (channel, repeat_at)
    WHERE status = 'unknown' AND repeat_at IS NOT NULL;
CREATE INDEX notifications_address ON rappel.notifications (address, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX notifications_contact ON rappel.notifications (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX notifications_created ON rappel.notifications USING brin (created_at);

-- The life of a notification. The same table is in jobs/deliver, and a test
-- compares them.
-- +goose StatementBegin
CREATE FUNCTION rappel.refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'notification % is %, and cannot become %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'notifications_transition';
END $$;
-- +goose StatementEnd
CREATE TRIGGER transition BEFORE UPDATE OF status ON rappel.notifications
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND NOT CASE OLD.status
        WHEN 'pending' THEN NEW.status IN ('sending', 'sent', 'delivered', 'undelivered', 'suppressed', 'expired')
        WHEN 'sending' THEN TRUE
        WHEN 'sent'    THEN NEW.status IN ('delivered', 'undelivered')
        WHEN 'unknown' THEN NEW.status IN ('sending', 'sent', 'delivered', 'undelivered')
        ELSE FALSE END
        -- Only a replay, which says so, opens what had ended.
        AND NOT (OLD.status IN ('failed', 'undelivered', 'unknown') AND NEW.status = 'pending'
            AND NEW.replayed_at IS DISTINCT FROM OLD.replayed_at))
    EXECUTE FUNCTION rappel.refuse_transition();

-- What a decision promised, counted from what was decided and not by whoever
-- writes the ledger.
-- +goose StatementBegin
CREATE FUNCTION rappel.promised(candidates jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_array_length(jsonb_path_query_array(candidates, '$[*] ? (@.outcome == "send")'))
$$;
-- +goose StatementEnd
ALTER TABLE rappel.decisions
    ADD COLUMN promised integer GENERATED ALWAYS AS (rappel.promised(candidates)) STORED;
COMMENT ON COLUMN rappel.decisions.promised IS 'how many notifications it makes: the ledger must have as many';
CREATE INDEX decisions_decided ON rappel.decisions USING brin (decided_at);
-- Events that were answered but name no decision: next to none.
CREATE INDEX events_unnamed ON rappel.events (planned_at) WHERE planned_at IS NOT NULL AND decision_id IS NULL;

-- What people answered, until the main app has it.
CREATE TABLE rappel.replies (
    id              uuid PRIMARY KEY DEFAULT rappel.uuid_v7(),
    carrier_id      text NOT NULL UNIQUE,
    address         text NOT NULL,
    body            text,
    received_at     timestamptz NOT NULL,
    meaning         text NOT NULL CHECK (meaning IN ('confirm', 'opt_out', 'opt_in', 'other')),
    practice_id     uuid,
    notification_id uuid,
    appointment_ids uuid[] NOT NULL DEFAULT '{}',
    outcome         text CHECK (outcome IN ('posted', 'dropped', 'expired')),
    not_before      timestamptz NOT NULL DEFAULT now(),
    claim_id        uuid,
    claimed_until   timestamptz,
    attempts        integer NOT NULL DEFAULT 0,
    settled_at      timestamptz,
    CHECK (body IS NULL OR outcome IS NULL)
);
COMMENT ON COLUMN rappel.replies.carrier_id IS 'the carrier''s own id of the message: told twice, it is kept once';
COMMENT ON COLUMN rappel.replies.body IS 'what the person wrote, until the main app has it';
COMMENT ON COLUMN rappel.replies.outcome IS 'posted: the main app has it; dropped: it will not have it; expired: it could not be reached for a day; null: open';
CREATE INDEX replies_open ON rappel.replies (not_before) WHERE outcome IS NULL;

-- +goose StatementBegin
CREATE FUNCTION rappel.announce_replies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rappel_replies', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER announce AFTER INSERT ON rappel.replies
    FOR EACH STATEMENT EXECUTE FUNCTION rappel.announce_replies();
