-- What the sweep is measured on: bench.practices practices with two or three
-- rules each, bench.appointments appointments over the next 90 days, each on a
-- quarter of an hour, and what fell due up to now decided. Bench.now is an hour.

CREATE SCHEMA bench;
CREATE FUNCTION bench.id(what text, n bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN md5(what || n)::uuid;

INSERT INTO rappel.practices (id, name, time_zone, phone, email, late_booking)
SELECT bench.id('practice', n), 'Practice ' || n, (ARRAY['America/New_York', 'America/Chicago', 'America/Los_Angeles'])[1 + n % 3],
    '+12015550100', 'desk' || n || '@example.com', (ARRAY['skip', 'grace'])[1 + n % 2]
FROM generate_series(0, current_setting('bench.practices')::int - 1) n;

-- Ten clients each.
INSERT INTO rappel.clients (id, practice_id, first_name, last_name, email, phone, preferred_method)
SELECT bench.id('client', n), bench.id('practice', n / 10), 'First' || n, 'Last' || n,
    'client' || n || '@example.com', '+1201' || 2000000 + n % 7000000, (ARRAY['sms', 'email'])[1 + n % 2]
FROM generate_series(0, current_setting('bench.practices')::int * 10 - 1) n;

-- Every practice reminds a day before; beside it, each has one or two of the
-- others: by minutes, by days of the calendar at the visit's own time or at nine,
-- after the visit.
INSERT INTO rappel.rules (id, practice_id, kind, name, anchor, offset_minutes, offset_days, at_time, template, updated_at)
SELECT bench.id('rule ' || r.name, n), bench.id('practice', n), r.kind, r.name, r.anchor, r.minutes, r.days, r.at, r.template, '2020-01-01'
FROM generate_series(0, current_setting('bench.practices')::int - 1) n
JOIN (VALUES
    ('a day before',    'reminder',  'start', -1440,  NULL::int, NULL::time, 'appointment.reminder', '{0,1,2,3,4,5}'::int[]),
    ('two hours before', 'reminder', 'start', -120,   NULL,      NULL,       'appointment.reminder', '{0,1}'),
    ('a week before',   'reminder',  'start', -10080, NULL,      NULL,       'appointment.reminder', '{1,2}'),
    ('two days before', 'reminder',  'start', NULL,   -2,        NULL,       'appointment.reminder', '{3,4}'),
    ('the morning before', 'reminder', 'start', NULL, -1,        '09:00',    'appointment.reminder', '{4,5}'),
    ('after it',        'scheduled', 'end',   60,     NULL,      NULL,       'thanks',               '{3,5}')
) AS r (name, kind, anchor, minutes, days, at, template, whose) ON n % 6 = ANY (r.whose);

INSERT INTO rappel.templates (id, name, channel, subject, body)
SELECT gen_random_uuid(), 'thanks', c, CASE c WHEN 'email' THEN 'Thank you' END, 'Thank you for your visit, [RecipientFirstName].'
FROM unnest('{sms,email}'::text[]) c;

INSERT INTO rappel.appointments (id, practice_id, client_id, service_name, location_name, location_address, manage_url,
    starts_at, ends_at, booked_at, updated_at)
SELECT bench.id('appointment', n), bench.id('practice', p), bench.id('client', p * 10 + n % 10), 'Consultation', 'Main office',
    '1 Main Street, Springfield', 'https://app.example.com/visits/' || n, starts, starts + interval '45 minutes', booked, booked
FROM generate_series(0, current_setting('bench.appointments')::bigint - 1) n,
    LATERAL (SELECT n % current_setting('bench.practices')::int AS p,
        current_setting('bench.now')::timestamptz + n * 7919 % 8640 * interval '15 minutes' AS starts,
        current_setting('bench.now')::timestamptz - interval '100 days' + n * 104729 % 800000 * interval '10 seconds' AS booked) s;

-- A minute in which bench.due fall due by the rule of a day before, seven hours
-- and twelve minutes from now.
INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at)
SELECT bench.id('due appointment', n), bench.id('practice', p), bench.id('client', p * 10), starts, starts + interval '45 minutes', booked, booked
FROM generate_series(0, current_setting('bench.due')::int - 1) n,
    LATERAL (SELECT n % current_setting('bench.practices')::int AS p,
        current_setting('bench.now')::timestamptz + interval '31 hours 12 minutes' AS starts,
        current_setting('bench.now')::timestamptz - interval '20 days' AS booked) s;

-- The burst: bench.burst due in the minute of now, in practices of a thousand
-- that write at any time of day.
INSERT INTO rappel.practices (id, name, time_zone, phone, sms_opens, sms_closes)
SELECT bench.id('burst practice', n), 'Burst ' || n, 'America/New_York', '+12015550100', NULL, NULL
FROM generate_series(0, (current_setting('bench.burst')::int - 1) / 1000) n;

INSERT INTO rappel.rules (id, practice_id, kind, name, offset_minutes, template, updated_at)
SELECT bench.id('burst rule', n), bench.id('burst practice', n), 'reminder', 'two days before', -2880, 'appointment.reminder', '2020-01-01'
FROM generate_series(0, (current_setting('bench.burst')::int - 1) / 1000) n;

INSERT INTO rappel.clients (id, practice_id, first_name, last_name, phone, preferred_method)
SELECT bench.id('burst client', n), bench.id('burst practice', n / 1000), 'First' || n, 'Last' || n, '+1202' || 2000000 + n % 7000000, 'sms'
FROM generate_series(0, current_setting('bench.burst')::int - 1) n;

INSERT INTO rappel.appointments (id, practice_id, client_id, starts_at, ends_at, booked_at, updated_at)
SELECT bench.id('burst appointment', n), bench.id('burst practice', n / 1000), bench.id('burst client', n), starts, starts + interval '45 minutes', booked, booked
FROM generate_series(0, current_setting('bench.burst')::int - 1) n,
    LATERAL (SELECT current_setting('bench.now')::timestamptz + interval '2 days' AS starts,
        current_setting('bench.now')::timestamptz - interval '20 days' AS booked) s;

-- What fell due before now was decided when it did.
INSERT INTO rappel.decisions (id, practice_id, client_id, appointment_id, rule_id, kind, revision, starts_at, decided_at, outcome, candidates)
SELECT gen_random_uuid(), a.practice_id, a.client_id, a.id, r.id, 'appointment.reminder', 1, a.starts_at,
    a.starts_at + r.offset_minutes * interval '1 minute', 'notify', '[]'
FROM rappel.rules r JOIN rappel.appointments a USING (practice_id)
WHERE r.kind = 'reminder' AND r.offset_minutes IS NOT NULL
    AND a.starts_at + r.offset_minutes * interval '1 minute' < current_setting('bench.now')::timestamptz;

INSERT INTO rappel.sweeps (name, swept_to) VALUES ('reminders', current_setting('bench.now')::timestamptz - interval '1 minute');
