-- The practice side: written by the main app, only ever read by rappel.
-- A main app may offer any of these as a view over its own tables instead;
-- rappel migrate creates only what does not exist, each time it runs.

CREATE TABLE IF NOT EXISTS rappel.practices (
    id               uuid PRIMARY KEY,
    name             text NOT NULL,
    time_zone        text NOT NULL,
    country          text NOT NULL DEFAULT 'US',
    phone            text,
    email            text,
    locale           text NOT NULL DEFAULT 'en',
    sms_opens        time DEFAULT '08:00',
    sms_closes       time DEFAULT '21:00',
    late_booking     text NOT NULL DEFAULT 'skip',
    channel_fallback boolean NOT NULL DEFAULT false,
    family_digest    boolean NOT NULL DEFAULT false,
    settle_seconds   integer NOT NULL DEFAULT 0,
    active           boolean NOT NULL DEFAULT true
);

CREATE TABLE IF NOT EXISTS rappel.practitioners (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    name        text NOT NULL,
    email       text
);

CREATE TABLE IF NOT EXISTS rappel.clients (
    id                     uuid PRIMARY KEY,
    practice_id            uuid NOT NULL,
    first_name             text NOT NULL DEFAULT '',
    last_name              text NOT NULL DEFAULT '',
    preferred_name         text,
    email                  text,
    phone                  text,
    preferred_method       text DEFAULT 'email',
    time_zone              text,
    locale                 text,
    receives_reminders     boolean NOT NULL DEFAULT true,
    receives_confirmations boolean NOT NULL DEFAULT true,
    receives_scheduled     boolean NOT NULL DEFAULT true,
    do_not_contact         boolean NOT NULL DEFAULT false,
    archived_at            timestamptz
);

CREATE TABLE IF NOT EXISTS rappel.contacts (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    client_id   uuid,
    first_name  text NOT NULL DEFAULT '',
    last_name   text NOT NULL DEFAULT '',
    email       text,
    phone       text,
    time_zone   text,
    locale      text
);

CREATE TABLE IF NOT EXISTS rappel.client_contacts (
    client_id               uuid NOT NULL,
    contact_id              uuid NOT NULL,
    relationship            text,
    position                integer NOT NULL DEFAULT 0,
    receives_reminders      boolean NOT NULL DEFAULT false,
    receives_confirmations  boolean NOT NULL DEFAULT false,
    receives_scheduled      boolean NOT NULL DEFAULT false,
    can_manage_appointments boolean NOT NULL DEFAULT false,
    portal_access           boolean NOT NULL DEFAULT false,
    can_message             boolean NOT NULL DEFAULT false,
    can_view_forms          boolean NOT NULL DEFAULT false,
    can_view_documents      boolean NOT NULL DEFAULT false,
    can_manage_billing      boolean NOT NULL DEFAULT false,
    PRIMARY KEY (client_id, contact_id)
);

CREATE TABLE IF NOT EXISTS rappel.appointments (
    id               uuid PRIMARY KEY,
    practice_id      uuid NOT NULL,
    client_id        uuid NOT NULL,
    practitioner_id  uuid,
    service_name     text NOT NULL DEFAULT '',
    location_name    text,
    location_address text,
    telehealth_url   text,
    manage_url       text,
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    time_zone        text,
    status           text NOT NULL DEFAULT 'scheduled',
    notify           boolean NOT NULL DEFAULT true,
    revision         bigint NOT NULL DEFAULT 1,
    booked_at        timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    start_set_at     timestamptz
);

CREATE TABLE IF NOT EXISTS rappel.rules (
    id             uuid PRIMARY KEY,
    practice_id    uuid NOT NULL,
    kind           text NOT NULL,
    name           text NOT NULL,
    anchor         text NOT NULL DEFAULT 'start',
    offset_minutes integer,
    offset_days    integer,
    at_time        time,
    template       text NOT NULL,
    service_name   text,
    active         boolean NOT NULL DEFAULT true,
    updated_at     timestamptz DEFAULT now()
);

CREATE TABLE IF NOT EXISTS rappel.templates (
    id          uuid PRIMARY KEY,
    practice_id uuid,
    name        text NOT NULL,
    channel     text NOT NULL,
    audience    text NOT NULL DEFAULT 'any',
    locale      text NOT NULL DEFAULT 'en',
    subject     text,
    body        text NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    active      boolean NOT NULL DEFAULT true,
    updated_at  timestamptz DEFAULT now()
);

-- Indexes that the sweep and the snapshots rest on, where these are tables.
-- Over views they belong on the main app's own tables.
DO $$
DECLARE wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('appointments',    'appointments_starts_at',    '(starts_at)'),
            ('appointments',    'appointments_ends_at',      '(ends_at)'),
            ('appointments',    'appointments_booked_at',    '(booked_at)'),
            ('appointments',    'appointments_updated_at',   '(updated_at)'),
            ('appointments',    'appointments_start_set_at', '(start_set_at) WHERE start_set_at IS NOT NULL'),
            ('appointments',    'appointments_time_zone',    '(time_zone) WHERE time_zone IS NOT NULL'),
            ('clients',         'clients_time_zone',         '(time_zone) WHERE time_zone IS NOT NULL'),
            ('contacts',        'contacts_time_zone',        '(time_zone) WHERE time_zone IS NOT NULL'),
            ('client_contacts', 'client_contacts_contact',   '(contact_id)'),
            ('practices',       'practices_time_zone',       '(time_zone)'),
            ('practices',       'practices_digest',          '(time_zone) WHERE family_digest'),
            ('practices',       'practices_window',          '(sms_opens, sms_closes)'),
            ('rules',           'rules_practice',            '(practice_id)'),
            ('rules',           'rules_minutes',             '(anchor, offset_minutes) WHERE active AND offset_days IS NULL'),
            ('rules',           'rules_days',                '(anchor, offset_days) WHERE active AND offset_minutes IS NULL AND at_time IS NULL'),
            ('rules',           'rules_times',               '(anchor, offset_days, at_time) WHERE active AND offset_minutes IS NULL AND at_time IS NOT NULL'),
            ('templates',       'templates_name',            '(name, practice_id)')
        ) AS w (tab, index, what)
    LOOP
        IF EXISTS (SELECT 1 FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'rappel' AND c.relname = wanted.tab AND c.relkind IN ('r', 'p'))
        THEN
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON rappel.%I %s', wanted.index, wanted.tab, wanted.what);
        END IF;
    END LOOP;
END $$;
