-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, so that no lock is held while the next one works: this runs under traffic. One that
-- cannot have its lock soon, within half of what a request may take, fails instead of making everybody queue behind it; then run it again.

-- +goose Up
SET lock_timeout = '1s';
-- The table of couriers is walked through once, however large it is.
SET statement_timeout = 0;

-- Batches of positions that can never be stored: kept as they came, for people to look at, store again or drop.
CREATE TABLE IF NOT EXISTS dead_letters (
    id         uuid PRIMARY KEY,
    -- The backlog's name for it: what is read twice is buried once.
    entry      text NOT NULL,
    payload    bytea NOT NULL,
    -- NULL when the payload could not be read.
    courier_id uuid,
    session    text NOT NULL DEFAULT '',
    points     int NOT NULL DEFAULT 0,
    reason     text NOT NULL,
    buried_at  timestamptz NOT NULL,
    CONSTRAINT dead_letters_entry UNIQUE (entry),
    CONSTRAINT dead_letter_points_counted CHECK (points >= 0)
);

-- published_rev trails rev until the courier's hot copy is known to be as new, as it does for deliveries.
ALTER TABLE couriers ADD COLUMN IF NOT EXISTS published_rev bigint NOT NULL DEFAULT 0;
ALTER TABLE couriers ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now();

-- +goose StatementBegin
-- In pieces, and in the order in which everybody locks couriers: nobody waits long, and nobody in a circle.
DO $$
BEGIN
    LOOP
        UPDATE couriers SET published_rev = rev
        WHERE id IN (SELECT id FROM couriers WHERE published_rev = 0 AND rev > 0 ORDER BY id LIMIT 1000 FOR NO KEY UPDATE);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE INDEX IF NOT EXISTS couriers_unpublished ON couriers (updated_at) WHERE published_rev < rev;

-- +goose StatementBegin
-- Keeps a session's first range and its 512 newest, so that a phone that sends every second seq cannot make its row grow for ever. To forget
-- that a seq is stored is safe: the session's durable seq never passes it, so the phone sends it again, and the key of positions sees to it
-- that it is there once.
CREATE OR REPLACE FUNCTION trim_seqs(seqs int8multirange) RETURNS int8multirange LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    ranges int8range[] := ARRAY(SELECT unnest(seqs));
BEGIN
    IF cardinality(ranges) <= 513 THEN
        RETURN seqs;
    END IF;
    RETURN (SELECT range_agg(r) FROM unnest(ranges[1:1] || ranges[cardinality(ranges) - 511:]) r);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- As before, but a day is made beside the table and then attached, for which nobody who reads or writes positions has to wait: CREATE TABLE ...
-- PARTITION OF would lock all of them out, and queue them behind the longest reader.
CREATE OR REPLACE FUNCTION ensure_position_partitions(first_day date, last_day date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    d    date := first_day;
    made int  := 0;
    part text;
BEGIN
    -- Two workers starting together must not race for the same name.
    PERFORM pg_advisory_xact_lock(hashtext('ensure_position_partitions'));
    WHILE d <= last_day LOOP
        part := 'positions_' || to_char(d, 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE positions INCLUDING ALL)', part);
            EXECUTE format('ALTER TABLE positions ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                part, d::text || ' 00:00:00+00', (d + 1)::text || ' 00:00:00+00');
            made := made + 1;
        END IF;
        d := d + 1;
    END LOOP;
    RETURN made;
END
$$;
-- +goose StatementEnd

RESET statement_timeout;
RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ensure_position_partitions(first_day date, last_day date) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    d    date := first_day;
    made int  := 0;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_position_partitions'));
    WHILE d <= last_day LOOP
        part := 'positions_' || to_char(d, 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF positions FOR VALUES FROM (%L) TO (%L)',
                part, d::text || ' 00:00:00+00', (d + 1)::text || ' 00:00:00+00');
            made := made + 1;
        END IF;
        d := d + 1;
    END LOOP;
    RETURN made;
END
$$;
-- +goose StatementEnd

DROP FUNCTION IF EXISTS trim_seqs(int8multirange);
DROP INDEX IF EXISTS couriers_unpublished;
ALTER TABLE couriers DROP COLUMN IF EXISTS updated_at, DROP COLUMN IF EXISTS published_rev;
DROP TABLE IF EXISTS dead_letters;

RESET lock_timeout;
