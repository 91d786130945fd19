-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, as in 0002: this runs under traffic.

-- +goose Up
SET lock_timeout = '1s';

-- When everything of people was taken out of the row: it had been over for as long as the operator keeps that, or somebody asked for it.
ALTER TABLE deliveries ADD COLUMN IF NOT EXISTS redacted_at timestamptz;

-- An index that was left unfinished is of no use, and in the way of another try.
-- +goose StatementBegin
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN SELECT indexrelid FROM pg_index
        WHERE indexrelid IN (to_regclass('deliveries_unredacted'), to_regclass('idempotency_keys_by_delivery')) AND NOT indisvalid LOOP
        EXECUTE 'DROP INDEX ' || unfinished;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Nobody has to wait for an index that is made concurrently, so it may take its time.
RESET lock_timeout;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_unredacted ON deliveries (finished_at) WHERE finished_at IS NOT NULL AND redacted_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idempotency_keys_by_delivery ON idempotency_keys (delivery_id);
RESET statement_timeout;

-- +goose Down
SET lock_timeout = '1s';
DROP INDEX IF EXISTS idempotency_keys_by_delivery;
DROP INDEX IF EXISTS deliveries_unredacted;
ALTER TABLE deliveries DROP COLUMN IF EXISTS redacted_at;
RESET lock_timeout;
