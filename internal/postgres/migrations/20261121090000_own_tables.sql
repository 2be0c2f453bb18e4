-- Rappel's own tables: the way in (events), what was decided (decisions), the
-- ledger (notifications), and what silences an address.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION rappel.uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    -- RFC 9562, section 5.7: 48 bits of Unix milliseconds before a random
    -- version 4 UUID, whose version nibble is then turned from 4 to 7.
    SELECT encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6),
            52, 1), 53, 1), 'hex')::uuid
$$;
-- +goose StatementEnd

CREATE TABLE rappel.events (
    id             uuid PRIMARY KEY DEFAULT rappel.uuid_v7(),
    kind           text NOT NULL,
    appointment_id uuid,
    client_id      uuid,
    contact_id     uuid,
    data           jsonb NOT NULL DEFAULT '{}',
    occurred_at    timestamptz NOT NULL DEFAULT now(),
    planned_at     timestamptz,
    -- What follows is rappel's own business.
    created_at     timestamptz NOT NULL DEFAULT now(),
    look_at        timestamptz NOT NULL DEFAULT now(),
    decision_id    uuid
);
COMMENT ON COLUMN rappel.events.planned_at IS 'when rappel decided about it; null: not yet';
COMMENT ON COLUMN rappel.events.look_at IS 'not taken before: moved on while the appointment is not there yet';
COMMENT ON COLUMN rappel.events.decision_id IS 'the decision that answers it; for an event told twice, that of the first';
CREATE INDEX events_unplanned ON rappel.events (look_at) WHERE planned_at IS NULL;
CREATE INDEX events_appointment ON rappel.events (appointment_id);

-- +goose StatementBegin
CREATE FUNCTION rappel.announce_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rappel_events', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER announce AFTER INSERT ON rappel.events
    FOR EACH STATEMENT EXECUTE FUNCTION rappel.announce_events();

CREATE TABLE rappel.decisions (
    id             uuid PRIMARY KEY,
    practice_id    uuid,
    client_id      uuid,
    appointment_id uuid,
    event_id       uuid,
    rule_id        uuid,
    kind           text NOT NULL,
    revision       bigint,
    starts_at      timestamptz,
    decided_at     timestamptz NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('notify', 'silenced', 'unreachable', 'skipped')),
    candidates     jsonb NOT NULL DEFAULT '[]',
    detail         text,
    CHECK (event_id IS NULL OR rule_id IS NULL)
);
COMMENT ON COLUMN rappel.decisions.detail IS 'what was wrong with the event itself, without personal data; null: nothing';
CREATE UNIQUE INDEX decisions_once_per_event ON rappel.decisions (event_id) WHERE event_id IS NOT NULL;
CREATE UNIQUE INDEX decisions_once_per_revision ON rappel.decisions (appointment_id, kind, revision)
    WHERE event_id IS NOT NULL AND kind <> 'appointment.telehealth_link';
CREATE UNIQUE INDEX decisions_once_per_rule ON rappel.decisions (rule_id, appointment_id, starts_at)
    WHERE rule_id IS NOT NULL;
CREATE INDEX decisions_appointment ON rappel.decisions (appointment_id, decided_at);

CREATE TABLE rappel.notifications (
    id               uuid PRIMARY KEY,
    decision_id      uuid NOT NULL REFERENCES rappel.decisions (id),
    practice_id      uuid NOT NULL,
    client_id        uuid NOT NULL,
    contact_id       uuid,
    appointment_id   uuid,
    event_id         uuid,
    rule_id          uuid,
    kind             text NOT NULL,
    channel          text NOT NULL CHECK (channel IN ('sms', 'email')),
    address          text NOT NULL,
    template         text NOT NULL,
    template_version integer,
    revision         bigint,
    starts_at        timestamptz,
    status           text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'sending', 'sent',
                         'delivered', 'undelivered', 'suppressed', 'expired', 'failed', 'unknown')),
    reason           text,
    not_before       timestamptz NOT NULL,
    not_after        timestamptz,
    attempts         integer NOT NULL DEFAULT 0,
    message_id       text,
    segments         integer,
    error_code       text,
    created_at       timestamptz NOT NULL DEFAULT now(),
    sent_at          timestamptz,
    delivered_at     timestamptz,
    -- What follows is rappel's own business.
    offered_at       timestamptz NOT NULL DEFAULT now(),
    claim_id         uuid,
    claimed_until    timestamptz,
    recipient_name   text,
    reply_to         text,
    subject          text,
    body             text,
    html             text,
    body_hash        bytea,
    CHECK ((status = 'sending') = (claim_id IS NOT NULL)),
    CHECK ((claim_id IS NULL) = (claimed_until IS NULL))
);
COMMENT ON COLUMN rappel.notifications.offered_at IS 'when a deliver task for it was last put on the queue';
COMMENT ON COLUMN rappel.notifications.claim_id IS 'who is sending it now: only the holder records';
COMMENT ON COLUMN rappel.notifications.body IS 'the text, fixed at the first attempt and kept until a final status; then only its hash';
-- One message per decision, person and channel, whatever planned it.
CREATE UNIQUE INDEX notifications_once ON rappel.notifications (decision_id, channel, coalesce(contact_id, client_id));
CREATE INDEX notifications_pending ON rappel.notifications (channel, not_before) WHERE status = 'pending';
CREATE INDEX notifications_sending ON rappel.notifications (claimed_until) WHERE status = 'sending';
CREATE INDEX notifications_appointment ON rappel.notifications (appointment_id, created_at);
CREATE INDEX notifications_client ON rappel.notifications (client_id, created_at);

CREATE TABLE rappel.opt_outs (
    practice_id uuid,
    channel     text NOT NULL CHECK (channel IN ('sms', 'email')),
    address     text NOT NULL,
    source      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz,
    -- A coarse key, equal for every spelling of one address: rows come from
    -- others too, in the spelling they please.
    match_key   text NOT NULL GENERATED ALWAYS AS (
        CASE channel WHEN 'sms' THEN right(regexp_replace(address, '\D', '', 'g'), 6)
                     ELSE lower(btrim(address)) END) STORED
);
CREATE INDEX opt_outs_live ON rappel.opt_outs (channel, match_key) WHERE revoked_at IS NULL;

CREATE TABLE rappel.unusable_addresses (
    channel   text NOT NULL CHECK (channel IN ('sms', 'email')),
    address   text NOT NULL,
    code      text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now(),
    match_key text NOT NULL GENERATED ALWAYS AS (
        CASE channel WHEN 'sms' THEN right(regexp_replace(address, '\D', '', 'g'), 6)
                     ELSE lower(btrim(address)) END) STORED,
    PRIMARY KEY (channel, address)
);
COMMENT ON TABLE rappel.unusable_addresses IS 'addresses a receiver called invalid or a landline; they count for 30 days';
CREATE INDEX unusable_addresses_match ON rappel.unusable_addresses (channel, match_key);

CREATE TABLE rappel.sweeps (
    name     text PRIMARY KEY,
    swept_to timestamptz NOT NULL
);
COMMENT ON TABLE rappel.sweeps IS 'the high-water mark: everything due up to swept_to was looked at';
