-- What the pipeline is measured on: bench.events bookings, among five times as
-- many clients with an appointment each, in practices of 400 – among as many as
-- there are bookings, PostgreSQL would rather read all than look some up – and as
-- many messages of the past as there are bookings.

-- The ledger of the designs beside rappel. The same id is the event's, the
-- message's and its idempotency key.
CREATE SCHEMA bench;
CREATE TABLE bench.messages (
    id             uuid PRIMARY KEY,
    appointment_id uuid NOT NULL,
    client_id      uuid NOT NULL,
    practice_id    uuid NOT NULL,
    channel        text NOT NULL,
    address        text NOT NULL,
    body           text NOT NULL,
    status         text NOT NULL DEFAULT 'pending',
    message_id     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz
);
CREATE INDEX ON bench.messages (appointment_id);
CREATE INDEX ON bench.messages (created_at) WHERE status = 'pending';

-- An id for number n of a kind of row, scattered as random ids are.
CREATE FUNCTION bench.id(what text, n bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN md5(what || n)::uuid;

INSERT INTO rappel.practices (id, name, time_zone, phone, email)
SELECT bench.id('practice', n), 'Practice ' || n,
    (ARRAY['America/New_York', 'America/Chicago', 'America/Los_Angeles'])[1 + n % 3],
    '+12015550100', 'desk' || n || '@example.com'
FROM generate_series(0, 5 * current_setting('bench.events')::int / 400) n;

INSERT INTO rappel.practitioners (id, practice_id, name)
SELECT bench.id('practitioner', n), bench.id('practice', n), 'Dr. Number ' || n
FROM generate_series(0, 5 * current_setting('bench.events')::int / 400) n;

INSERT INTO rappel.clients (id, practice_id, first_name, last_name, email, phone, preferred_method)
SELECT bench.id('client', n), bench.id('practice', n / 400), 'First' || n, 'Last' || n,
    'client' || n || '@example.com', '+1201' || 2000000 + n % 7000000, 'sms'
FROM generate_series(0, 5 * current_setting('bench.events')::int - 1) n;

INSERT INTO rappel.appointments (id, practice_id, client_id, practitioner_id, service_name, location_name, location_address,
    manage_url, starts_at, ends_at, booked_at, updated_at)
SELECT bench.id('appointment', n), bench.id('practice', n / 400), bench.id('client', n), bench.id('practitioner', n / 400),
    'Consultation', 'Main office', '1 Main Street, Springfield', 'https://app.example.com/visits/' || n, starts, starts + interval '50 minutes',
    now(), now()
FROM generate_series(0, 5 * current_setting('bench.events')::int - 1) n,
    LATERAL (SELECT date_trunc('hour', now()) + interval '2 days' + n % 1000 * interval '15 minutes' AS starts) s;

INSERT INTO rappel.opt_outs (practice_id, channel, address, source)
SELECT bench.id('practice', n / 400), 'sms', '+1202' || 2000000 + 13 * n % 7000000, 'twilio'
FROM generate_series(0, current_setting('bench.events')::int / 20) n;

INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, event_id, kind, revision, starts_at, decided_at, outcome, candidates)
SELECT bench.id('decision', n), bench.id('practice', n / 400), bench.id('client', n), bench.id('past appointment', n), bench.id('past event', n),
    'appointment.booked', 1, now() - interval '1 day', now() - interval '9 days', 'notify',
    jsonb_build_array(jsonb_build_object('recipient', 'client', 'id', bench.id('client', n), 'channel', 'sms', 'outcome', 'send', 'reasons', '[]'::jsonb))
FROM generate_series(0, current_setting('bench.events')::int - 1) n;

INSERT INTO rappel.notifications (id, decision_id, practice_id, client_id, appointment_id, event_id, kind, channel, address, template,
    template_version, revision, starts_at, status, not_before, not_after, attempts, message_id, segments, created_at, sent_at, delivered_at, via)
SELECT bench.id('notification', n), bench.id('decision', n), bench.id('practice', n / 400), bench.id('client', n), bench.id('past appointment', n),
    bench.id('past event', n), 'appointment.booked', 'sms', '+1201' || 2000000 + n % 7000000, 'appointment.booked',
    0, 1, now() - interval '1 day', 'delivered', now() - interval '9 days', now() - interval '1 day', 1, 'm' || n, 2,
    now() - interval '9 days', now() - interval '9 days', now() - interval '9 days', 'admin'
FROM generate_series(0, current_setting('bench.events')::int - 1) n;

INSERT INTO rappel.events (id, kind, appointment_id, occurred_at, created_at, look_at, planned_at, decision_id)
SELECT bench.id('past event', n), 'appointment.booked', bench.id('past appointment', n),
    now() - interval '9 days', now() - interval '9 days', now() - interval '9 days', now() - interval '9 days', bench.id('decision', n)
FROM generate_series(0, current_setting('bench.events')::int - 1) n;

INSERT INTO bench.messages (id, appointment_id, client_id, practice_id, channel, address, body, status, message_id, created_at, sent_at)
SELECT bench.id('past event', n), bench.id('past appointment', n), bench.id('client', n), bench.id('practice', n / 400), 'sms',
    '+1201' || 2000000 + n % 7000000, repeat('as long as a text ', 12), 'sent', 'm' || n, now() - interval '9 days', now() - interval '9 days'
FROM generate_series(0, current_setting('bench.events')::int - 1) n;

-- What there is to do, told one after the other.
INSERT INTO rappel.events (id, kind, appointment_id, occurred_at, created_at, look_at)
SELECT bench.id('event', n), 'appointment.booked', bench.id('appointment', 5 * n), told, told, told
FROM generate_series(0, current_setting('bench.events')::int - 1) n,
    LATERAL (SELECT now() + (n - current_setting('bench.events')::int) * interval '1 millisecond' AS told) t;
