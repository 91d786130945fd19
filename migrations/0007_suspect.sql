-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, as in 0002: this runs under traffic.

-- +goose Up
SET lock_timeout = '1s';

-- Why a position cannot be true, by the numbers of tracking.Suspicion; NULL for one that is believed. Nothing is written to the rows there are.
ALTER TABLE positions ADD COLUMN IF NOT EXISTS suspect smallint;

ALTER TABLE positions DROP CONSTRAINT IF EXISTS position_suspect_known;
ALTER TABLE positions ADD CONSTRAINT position_suspect_known CHECK (suspect BETWEEN 1 AND 5) NOT VALID;

-- Reading every day's rows once takes its time, and locks out nobody.
SET statement_timeout = 0;
ALTER TABLE positions VALIDATE CONSTRAINT position_suspect_known;

RESET statement_timeout;
RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';
ALTER TABLE positions DROP COLUMN IF EXISTS suspect;
RESET lock_timeout;
