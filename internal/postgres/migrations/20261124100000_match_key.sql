-- The key under which an opt-out is looked for, whoever wrote it: a line end, a
-- tab or a no-break blank beside an e-mail address, as files bring them, is no part
-- of it.

-- +goose Up
DROP INDEX rappel.opt_outs_live;
ALTER TABLE rappel.opt_outs DROP COLUMN match_key;
ALTER TABLE rappel.opt_outs ADD COLUMN match_key text NOT NULL GENERATED ALWAYS AS (
    CASE channel WHEN 'sms' THEN right(regexp_replace(address, '\D', '', 'g'), 6)
                 ELSE lower(regexp_replace(address, '[\s\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]', '', 'g')) END) STORED;
CREATE INDEX opt_outs_live ON rappel.opt_outs (channel, match_key) WHERE revoked_at IS NULL;
