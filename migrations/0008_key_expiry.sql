-- A key may end by itself: at the end of a rotation's overlap, or on a day that was set when it was made.

-- +goose Up
SET lock_timeout = '1s';
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS expires_at timestamptz;
RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';
ALTER TABLE api_keys DROP COLUMN IF EXISTS expires_at;
RESET lock_timeout;
