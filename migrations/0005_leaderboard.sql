-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated: this runs under traffic.

-- +goose Up
SET lock_timeout = '1s';

-- The highest fence that a writer has seen of each piece of work that one node at a time should do: work under a lower one comes from somebody who
-- has slept past the end of their lock, and is refused.
CREATE TABLE IF NOT EXISTS fences (
    work  text NOT NULL,
    -- What the work is done for; all zeros when there is one of its kind.
    of    uuid NOT NULL,
    fence bigint NOT NULL,
    PRIMARY KEY (work, of),
    CONSTRAINT fence_positive CHECK (fence > 0)
);

-- What couriers delivered on days that are over, so that it can be told without walking through those days' deliveries, and when they are gone.
CREATE TABLE IF NOT EXISTS sealed_standings (
    merchant_id uuid NOT NULL REFERENCES merchants (id),
    day         date NOT NULL,
    courier_id  uuid NOT NULL REFERENCES couriers (id),
    delivered   int NOT NULL,
    -- Of those delivered, the ones whose window had an end; and of these, the ones delivered by then.
    promised    int NOT NULL,
    on_time     int NOT NULL,
    PRIMARY KEY (merchant_id, day, courier_id),
    CONSTRAINT standing_counts_ordered CHECK (delivered > 0 AND promised BETWEEN 0 AND delivered AND on_time BETWEEN 0 AND promised)
);

-- An index that was left unfinished is of no use, and in the way of another try.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('deliveries_delivered') AND NOT indisvalid) THEN
        DROP INDEX deliveries_delivered;
    END IF;
END
$$;
-- +goose StatementEnd

-- Nobody has to wait for an index that is made concurrently, so it may take its time.
RESET lock_timeout;
SET statement_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_delivered ON deliveries (merchant_id, finished_at) INCLUDE (id, courier_id, window_to) WHERE status = 'delivered';
RESET statement_timeout;

-- +goose Down
SET lock_timeout = '1s';
DROP INDEX IF EXISTS deliveries_delivered;
DROP TABLE IF EXISTS sealed_standings, fences;
RESET lock_timeout;
