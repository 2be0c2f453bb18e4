-- Least rights, for whoever wants them: three roles without a login, for those
-- who log in to be members of.
--
--   rappel_migrator  owns schema rappel, and is the only one who changes it: rappel migrate
--   rappel_worker    reads the practice side and keeps rappel's own tables: every other command
--   rappel_app       the main app: writes the practice side, reports events, reads what was decided
--
-- Run it as a superuser in rappel's database, before the first rappel migrate
-- and after each one: it grants what is there, and may be run any number of
-- times. Then, for instance:
--
--   CREATE ROLE reminders LOGIN PASSWORD '…' IN ROLE rappel_worker;
--   ALTER ROLE deployer SET role = 'rappel_migrator';  -- a member whose tables are the role's
--
-- Where the practice side are views of the main app's own, they stay its own:
-- rappel_worker may read them, and needs no right on the tables behind them.

DO $$
DECLARE
    named   text;
    granted record;
BEGIN
    FOREACH named IN ARRAY ARRAY['rappel_migrator', 'rappel_worker', 'rappel_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = named) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', named);
        END IF;
    END LOOP;

    CREATE SCHEMA IF NOT EXISTS rappel AUTHORIZATION rappel_migrator;
    GRANT USAGE ON SCHEMA rappel TO rappel_worker, rappel_app;

    FOR granted IN
        SELECT * FROM (VALUES
            -- The practice side. Workers only ever read it.
            ('practices',          'rappel_worker', 'SELECT'),
            ('practitioners',      'rappel_worker', 'SELECT'),
            ('clients',            'rappel_worker', 'SELECT'),
            ('contacts',           'rappel_worker', 'SELECT'),
            ('client_contacts',    'rappel_worker', 'SELECT'),
            ('appointments',       'rappel_worker', 'SELECT'),
            ('rules',              'rappel_worker', 'SELECT'),
            ('templates',          'rappel_worker', 'SELECT'),
            ('practices',          'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('practitioners',      'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('clients',            'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('contacts',           'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('client_contacts',    'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('appointments',       'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('rules',              'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            ('templates',          'rappel_app',    'SELECT, INSERT, UPDATE, DELETE'),
            -- Rappel's own. What was decided is never rewritten; it goes when it
            -- is past its term.
            ('migrations',         'rappel_worker', 'SELECT'),
            ('events',             'rappel_worker', 'SELECT, INSERT, UPDATE, DELETE'),
            ('decisions',          'rappel_worker', 'SELECT, INSERT, DELETE'),
            ('notifications',      'rappel_worker', 'SELECT, INSERT, UPDATE, DELETE'),
            ('opt_outs',           'rappel_worker', 'SELECT, INSERT, UPDATE, DELETE'),
            ('unusable_addresses', 'rappel_worker', 'SELECT, INSERT, UPDATE, DELETE'),
            ('replies',            'rappel_worker', 'SELECT, INSERT, UPDATE, DELETE'),
            ('sweeps',             'rappel_worker', 'SELECT, INSERT, UPDATE'),
            ('events',             'rappel_app',    'SELECT, INSERT (id, kind, appointment_id, client_id, contact_id, data, occurred_at, traceparent)'),
            ('decisions',          'rappel_app',    'SELECT'),
            ('notifications',      'rappel_app',    'SELECT'),
            ('opt_outs',           'rappel_app',    'SELECT, INSERT (practice_id, channel, address, source, created_at), UPDATE (revoked_at)')
        ) AS g (tab, role, rights)
        WHERE to_regclass('rappel.' || tab) IS NOT NULL
    LOOP
        EXECUTE format('GRANT %s ON rappel.%I TO %I', granted.rights, granted.tab, granted.role);
    END LOOP;
END $$;
