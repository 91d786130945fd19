-- +goose NO TRANSACTION
-- Under traffic: the index is built beside the table, for which nobody has to wait. It waits for those who are writing when it begins, so a lock must not be
-- given up soon here; nobody queues behind it.

-- +goose Up
SET lock_timeout = 0;
SET statement_timeout = 0;

-- +goose StatementBegin
-- What an attempt that was broken off has left would be taken for the index.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('deliveries_by_merchant_day') AND NOT indisvalid) THEN
        DROP INDEX deliveries_by_merchant_day;
    END IF;
END
$$;
-- +goose StatementEnd

-- A merchant's deliveries of one day.
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_by_merchant_day ON deliveries (merchant_id, created_at);

RESET statement_timeout;
RESET lock_timeout;

-- +goose Down
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS deliveries_by_merchant_day;
RESET statement_timeout;
RESET lock_timeout;
