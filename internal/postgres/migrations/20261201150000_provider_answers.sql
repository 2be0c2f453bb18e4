-- What providers say of a message after it was sent: that it expired in their own
-- queue. And what people ask for in a reply: help.

-- +goose Up
CREATE OR REPLACE TRIGGER transition BEFORE UPDATE OF status ON rappel.notifications
    FOR EACH ROW WHEN (OLD.status <> NEW.status AND NOT CASE OLD.status
        WHEN 'pending' THEN NEW.status IN ('sending', 'sent', 'delivered', 'undelivered', 'suppressed', 'expired')
        WHEN 'sending' THEN TRUE
        WHEN 'sent'    THEN NEW.status IN ('delivered', 'undelivered', 'expired')
        WHEN 'unknown' THEN NEW.status IN ('sending', 'sent', 'delivered', 'undelivered', 'expired')
        ELSE FALSE END
        -- Only a replay, which says so, opens what had ended.
        AND NOT (OLD.status IN ('failed', 'undelivered', 'unknown') AND NEW.status = 'pending'
            AND NEW.replayed_at IS DISTINCT FROM OLD.replayed_at))
    EXECUTE FUNCTION rappel.refuse_transition();

-- NOT VALID: no row has another meaning, and none need be read to know it.
ALTER TABLE rappel.replies
    DROP CONSTRAINT replies_meaning_check,
    ADD CONSTRAINT replies_meaning_check CHECK (meaning IN ('confirm', 'opt_out', 'opt_in', 'help', 'other')) NOT VALID;
