-- A sweep as of a time to come moves the mark there, and what is booked after it
-- was not looked at: the next sweep looks back to when one last looked.

-- +goose Up
ALTER TABLE rappel.sweeps ADD COLUMN looked_to timestamptz;
UPDATE rappel.sweeps SET looked_to = least(swept_to, now());
COMMENT ON COLUMN rappel.sweeps.swept_to IS 'up to when was swept: a time to come, where somebody asked for one';
COMMENT ON COLUMN rappel.sweeps.looked_to IS 'when the last sweep looked, or swept_to where that is earlier: the next one looks back to it; null: swept_to';
