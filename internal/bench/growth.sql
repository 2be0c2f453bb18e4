-- A ledger that has been at work for long: growth.rows messages, growth.day of
-- them a day up to now, as they are after retention has gone over them. Those
-- about a start before the last quarter of the time have no address any more, and
-- none has its words. Ids are in the order of time, as version 7 is. Each
-- appointment has three messages, 10,000 rows apart; a client has about fifty, a
-- practice 10,000.
--
-- Decisions stand where something is measured that reads them: behind the
-- messages of the first two days, of the first day of the last quarter, and of
-- the last two days; events behind half of those of the latter two.

CREATE SCHEMA growth;

-- How large it is is told once, by the settings of the session that reads this.
DO $$ BEGIN
    EXECUTE format('CREATE FUNCTION growth.rows() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %s', current_setting('growth.rows'));
    EXECUTE format('CREATE FUNCTION growth.day() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %s', current_setting('growth.day'));
    EXECUTE format('CREATE FUNCTION growth.now() RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN to_timestamp(%s)', current_setting('growth.now'));
END $$;

-- When message n was decided.
CREATE FUNCTION growth.at(n bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN growth.now() - (growth.rows() - n) * interval '1 day' / growth.day();

-- The first message of the last quarter.
CREATE FUNCTION growth.kept() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN growth.rows() * 3 / 4;

-- An id that begins as it is told: with a time, as version 7 does, or with what
-- it is of.
CREATE FUNCTION growth.id(begin text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (begin || lpad(to_hex(n), 12, '0'))::uuid;
CREATE FUNCTION growth.begin(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000';

-- Messages from number first to before number last.
CREATE FUNCTION growth.messages(first bigint, last bigint) RETURNS TABLE (n bigint, at timestamptz, id uuid, decision_id uuid, event_id uuid,
    rule_id uuid, practice_id uuid, client_id uuid, contact_id uuid, appointment_id uuid, kind text, channel text, client bigint, starts_at timestamptz, status text)
LANGUAGE sql STABLE AS $$
    SELECT n, at, growth.id(time, 4 * n), growth.id(time, 4 * n + 1), CASE WHEN n % 2 = 0 THEN growth.id(time, 4 * n + 2) END,
        CASE WHEN n % 2 = 1 THEN growth.id('d0000000000040008000', client / 200 % 1000) END, growth.id('a0000000000040008000', client / 200),
        growth.id('c0000000000040008000', client), CASE WHEN n % 3 = 0 THEN growth.id('e0000000000040008000', client) END,
        growth.id('b0000000000040008000', visit), CASE n % 2 WHEN 0 THEN 'appointment.booked' ELSE 'appointment.reminder' END,
        CASE n % 3 WHEN 0 THEN 'email' ELSE 'sms' END, client, at + (1 + n % 240) * interval '1 hour',
        CASE n % 100 WHEN 1 THEN 'sent' WHEN 2 THEN 'suppressed' WHEN 3 THEN 'failed' WHEN 4 THEN 'undelivered' WHEN 5 THEN 'expired' ELSE 'delivered' END
    FROM (SELECT n, at, growth.begin(at) AS time, visit, visit * 7919 % (growth.rows() / 50) AS client
        FROM (SELECT n, growth.at(n) AS at, n / 30000 * 10000 + n % 10000 AS visit FROM generate_series(first, last - 1) n OFFSET 0) v
        OFFSET 0) c
$$;

-- Writes them into the ledger, which has no indexes meanwhile.
CREATE PROCEDURE growth.write(first bigint, last bigint) LANGUAGE sql AS $$
    INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, contact_id, appointment_id, event_id, rule_id, kind, channel,
        address, template, template_version, revision, starts_at, status, reason, not_before, planned_for, not_after, attempts, message_id,
        segments, created_at, offered_at, sent_at, delivered_at, via, settled_claim, body_hash)
    SELECT m.id, m.decision_id, m.practice_id, m.client_id, m.contact_id, m.appointment_id, m.event_id, m.rule_id, m.kind, m.channel,
        CASE WHEN greatest(m.at, m.starts_at) < growth.at(growth.kept()) THEN 'forgotten' ELSE '+1201' || 2000000 + m.client % 7000000 END,
        m.kind, 0, 1, m.starts_at, m.status, CASE m.status WHEN 'suppressed' THEN 'cancelled' WHEN 'failed' THEN 'refused' END,
        m.at, m.at, m.starts_at, 1, CASE WHEN gone THEN 'm' || m.n END, CASE m.channel WHEN 'sms' THEN 2 END,
        m.at, m.at, CASE WHEN gone THEN m.at + interval '2 seconds' END, CASE m.status WHEN 'delivered' THEN m.at + interval '5 seconds' END,
        'admin', m.id, CASE WHEN gone THEN sha256(int8send(m.n)) END
    FROM (SELECT *, status IN ('sent', 'delivered', 'undelivered') AS gone FROM growth.messages(first, last) OFFSET 0) m
$$;

-- Writes the decisions behind messages, and the events behind half of these.
CREATE PROCEDURE growth.decide(first bigint, last bigint) LANGUAGE sql AS $$
    INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, event_id, rule_id, kind, revision, starts_at, decided_at, outcome, candidates)
    SELECT m.decision_id, m.practice_id, m.client_id, m.appointment_id, m.event_id, m.rule_id, m.kind, m.n, m.starts_at, m.at, 'notify',
        jsonb_build_array(jsonb_build_object('recipient', 'client', 'id', m.client_id, 'channel', m.channel, 'outcome', 'send', 'reasons', '[]'::jsonb))
    FROM growth.messages(first, last) m
    ON CONFLICT DO NOTHING
$$;
CREATE PROCEDURE growth.tell(first bigint, last bigint) LANGUAGE sql AS $$
    INSERT INTO rappel.events (id, kind, appointment_id, occurred_at, created_at, look_at, planned_at, decision_id)
    SELECT m.event_id, m.kind, m.appointment_id, m.at, m.at, m.at, m.at, m.decision_id
    FROM growth.messages(first, last) m WHERE m.event_id IS NOT NULL
    ON CONFLICT DO NOTHING
$$;
CREATE PROCEDURE growth.decide() LANGUAGE sql AS $$
    CALL growth.decide(0, least(2 * growth.day(), growth.kept()));
    CALL growth.decide(growth.kept(), least(growth.kept() + growth.day(), growth.rows()));
    CALL growth.decide(greatest(growth.rows() - 2 * growth.day(), 0), growth.rows());
    CALL growth.tell(growth.kept(), least(growth.kept() + growth.day(), growth.rows()));
    CALL growth.tell(greatest(growth.rows() - 2 * growth.day(), 0), growth.rows());
$$;
