-- The sample practice: what a main app has in its own tables. Ids are fixed,
-- so that this may run again; what somebody has changed since stays changed.

INSERT INTO rappel.practices (id, name, time_zone, country, phone, email, locale) VALUES
    ('0de00000-0000-7000-8000-000000000001', 'Harbor Lane Practice', 'America/New_York', 'US', '+1 201 555 0100', 'desk@example.com', 'en')
ON CONFLICT DO NOTHING;

INSERT INTO rappel.practitioners (id, practice_id, name) VALUES
    ('0de00000-0000-7000-8000-000000000011', '0de00000-0000-7000-8000-000000000001', 'Dr. Lena Okafor'),
    ('0de00000-0000-7000-8000-000000000012', '0de00000-0000-7000-8000-000000000001', 'Sam Whitfield')
ON CONFLICT DO NOTHING;

-- Leo and Mia are children without an address. Rosa, their grandmother, reads
-- her mail in their mother's mail box. Tom wants SMS, and has said STOP.
INSERT INTO rappel.clients (id, practice_id, first_name, last_name, email, phone, preferred_method, time_zone) VALUES
    ('0de00000-0000-7000-8000-000000000101', '0de00000-0000-7000-8000-000000000001', 'Leo',   'Rivera',  NULL,                        NULL,              'sms',   NULL),
    ('0de00000-0000-7000-8000-000000000102', '0de00000-0000-7000-8000-000000000001', 'Mia',   'Rivera',  NULL,                        NULL,              'email', NULL),
    ('0de00000-0000-7000-8000-000000000103', '0de00000-0000-7000-8000-000000000001', 'Rosa',  'Rivera',  'maria.rivera@example.com',  NULL,              'email', NULL),
    ('0de00000-0000-7000-8000-000000000104', '0de00000-0000-7000-8000-000000000001', 'Priya', 'Shah',    'priya.shah@example.com',    '(201) 555-0114',  'both',  NULL),
    ('0de00000-0000-7000-8000-000000000105', '0de00000-0000-7000-8000-000000000001', 'Tom',   'Becker',  'tom.becker@example.com',    '201-555-0115',    'sms',   NULL),
    ('0de00000-0000-7000-8000-000000000106', '0de00000-0000-7000-8000-000000000001', 'Emma',  'Clarke',  'emma.clarke@example.com',   '+1 201 555 0116', 'email', 'America/Los_Angeles'),
    ('0de00000-0000-7000-8000-000000000107', '0de00000-0000-7000-8000-000000000001', 'James', 'O''Neill', 'james.oneill@example.com', '+1 201 555 0117', 'sms',   NULL),
    ('0de00000-0000-7000-8000-000000000108', '0de00000-0000-7000-8000-000000000001', 'Noah',  'Bennett', NULL,                        NULL,              'sms',   NULL),
    ('0de00000-0000-7000-8000-000000000109', '0de00000-0000-7000-8000-000000000001', 'Ella',  'Bennett', NULL,                        NULL,              'sms',   NULL)
ON CONFLICT DO NOTHING;

INSERT INTO rappel.contacts (id, practice_id, first_name, last_name, email, phone) VALUES
    ('0de00000-0000-7000-8000-000000000201', '0de00000-0000-7000-8000-000000000001', 'Maria', 'Rivera', 'maria.rivera@example.com', '+1 201 555 0111'),
    ('0de00000-0000-7000-8000-000000000202', '0de00000-0000-7000-8000-000000000001', 'David', 'Rivera', 'david.rivera@example.com', '+1 201 555 0112')
ON CONFLICT DO NOTHING;

-- Noah's parents live apart, his father in another zone and another language.
INSERT INTO rappel.contacts (id, practice_id, first_name, last_name, email, phone, time_zone, locale) VALUES
    ('0de00000-0000-7000-8000-000000000203', '0de00000-0000-7000-8000-000000000001', 'Grace', 'Bennett', 'grace.bennett@example.com', '+1 201 555 0118', NULL, NULL),
    ('0de00000-0000-7000-8000-000000000204', '0de00000-0000-7000-8000-000000000001', 'Luis',  'Ortega',  'luis.ortega@example.com',   '+1 303 555 0119', 'America/Denver', 'es')
ON CONFLICT DO NOTHING;

-- Leo and Mia's father has reminders off, and confirmations on. Noah's has
-- reminders and nothing else; Ella, who lives with Noah and their mother, is
-- not his.
INSERT INTO rappel.client_contacts (client_id, contact_id, relationship, position,
        receives_reminders, receives_confirmations, receives_scheduled, can_manage_appointments) VALUES
    ('0de00000-0000-7000-8000-000000000101', '0de00000-0000-7000-8000-000000000201', 'mother',   0, true,  true, true,  true),
    ('0de00000-0000-7000-8000-000000000101', '0de00000-0000-7000-8000-000000000202', 'father',   1, false, true, false, false),
    ('0de00000-0000-7000-8000-000000000102', '0de00000-0000-7000-8000-000000000201', 'mother',   0, true,  true, true,  true),
    ('0de00000-0000-7000-8000-000000000102', '0de00000-0000-7000-8000-000000000202', 'father',   1, false, true, false, false),
    ('0de00000-0000-7000-8000-000000000103', '0de00000-0000-7000-8000-000000000201', 'daughter', 0, true,  true, false, false)
ON CONFLICT DO NOTHING;

INSERT INTO rappel.client_contacts (client_id, contact_id, relationship, position, receives_reminders, receives_confirmations, receives_scheduled,
        can_manage_appointments, portal_access, can_message, can_view_forms, can_view_documents, can_manage_billing) VALUES
    ('0de00000-0000-7000-8000-000000000108', '0de00000-0000-7000-8000-000000000203', 'mother', 0, true, true,  false, true,  true,  true,  true,  true,  true),
    ('0de00000-0000-7000-8000-000000000108', '0de00000-0000-7000-8000-000000000204', 'father', 1, true, false, false, false, false, false, false, false, false),
    ('0de00000-0000-7000-8000-000000000109', '0de00000-0000-7000-8000-000000000203', 'mother', 0, true, true,  false, true,  true,  true,  true,  true,  true)
ON CONFLICT DO NOTHING;

-- A stop binds the number for every client that it serves, in any spelling.
INSERT INTO rappel.opt_outs (practice_id, channel, address, source)
SELECT '0de00000-0000-7000-8000-000000000001', 'sms', '+12015550115', 'replied STOP'
WHERE NOT EXISTS (SELECT 1 FROM rappel.opt_outs
    WHERE practice_id = '0de00000-0000-7000-8000-000000000001' AND channel = 'sms' AND address = '+12015550115');

-- Saved long ago: a rule does not reach back behind the moment it was saved.
INSERT INTO rappel.rules (id, practice_id, kind, name, offset_minutes, offset_days, at_time, template, service_name, updated_at) VALUES
    ('0de00000-0000-7000-8000-000000000301', '0de00000-0000-7000-8000-000000000001', 'reminder',  '24 hours before',        -1440, NULL, NULL,    'appointment.reminder', NULL,            '2020-01-01'),
    ('0de00000-0000-7000-8000-000000000302', '0de00000-0000-7000-8000-000000000001', 'reminder',  '2 hours before',          -120, NULL, NULL,    'appointment.reminder', NULL,            '2020-01-01'),
    ('0de00000-0000-7000-8000-000000000303', '0de00000-0000-7000-8000-000000000001', 'reminder',  '1 day before',            NULL,   -1, NULL,    'appointment.reminder', 'Weekend group', '2020-01-01'),
    ('0de00000-0000-7000-8000-000000000304', '0de00000-0000-7000-8000-000000000001', 'scheduled', '3 days before',           NULL,   -3, '10:00', 'before-your-visit',    NULL,            '2020-01-01')
ON CONFLICT DO NOTHING;

INSERT INTO rappel.templates (id, practice_id, name, channel, subject, body, updated_at) VALUES
    ('0de00000-0000-7000-8000-000000000401', '0de00000-0000-7000-8000-000000000001', 'before-your-visit', 'sms', NULL,
     '[PracticeName]: [AppointmentDay] is near. Please have [ClientFirstName]''s insurance card at hand. Questions? [PracticePhone]', '2020-01-01'),
    ('0de00000-0000-7000-8000-000000000402', '0de00000-0000-7000-8000-000000000001', 'before-your-visit', 'email', 'Before [ClientFirstName]''s visit on [AppointmentDay]',
     'Hi [RecipientFirstName|there],

a few things that make [AppointmentDay] easier for [ClientFirstName]:

[If TelehealthLink]Try the link once before the visit:
[TelehealthLink][Else]Come five minutes early, and bring the insurance card.[End]

If something has changed, call us at [PracticePhone].

[PracticeName]', '2020-01-01')
ON CONFLICT DO NOTHING;
