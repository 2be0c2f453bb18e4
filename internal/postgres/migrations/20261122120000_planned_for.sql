-- When a notification was first to leave, from which its lateness is measured;
-- the trace of the request that asked for it; and what an event saw at first.

-- +goose Up
ALTER TABLE rappel.notifications
    ADD COLUMN planned_for timestamptz,
    ADD COLUMN traceparent text;
COMMENT ON COLUMN rappel.notifications.planned_for IS 'when it was first to leave, or to leave again after a replay: not_before moves with each try, this does not; null: written before there was this column';
COMMENT ON COLUMN rappel.notifications.traceparent IS 'the trace that it belongs to (W3C Trace Context); null: none';
ALTER TABLE rappel.events
    ADD COLUMN traceparent text,
    ADD COLUMN starts_at   timestamptz;
COMMENT ON COLUMN rappel.events.starts_at IS 'where the practice gives corrections time: the start that the appointment had when the event was first looked at';
COMMENT ON COLUMN rappel.events.traceparent IS 'the trace of the request that told of it (W3C Trace Context); null: none';
