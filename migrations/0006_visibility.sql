-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, so that no lock is held while the next one works: this runs under traffic. One that
-- cannot have its lock soon, within half of what a request may take, fails instead of making everybody queue behind it; then run it again.

-- +goose Up
SET lock_timeout = '1s';

-- What a merchant lets its customers see of couriers. While owing_after is not null its deliveries under way have yet to be told of a change: those of
-- the couriers with higher ids.
ALTER TABLE merchants
    ADD COLUMN IF NOT EXISTS visible_from text NOT NULL DEFAULT 'en_route',
    ADD COLUMN IF NOT EXISTS rounding_m int NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS delay_s int NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS owing_after uuid,
    DROP CONSTRAINT IF EXISTS merchant_visible_from_known,
    DROP CONSTRAINT IF EXISTS merchant_rounding_range,
    DROP CONSTRAINT IF EXISTS merchant_delay_range,
    ADD CONSTRAINT merchant_visible_from_known CHECK (visible_from IN ('en_route', 'arriving')),
    ADD CONSTRAINT merchant_rounding_range CHECK (rounding_m = 0 OR rounding_m BETWEEN 50 AND 5000),
    ADD CONSTRAINT merchant_delay_range CHECK (delay_s BETWEEN 0 AND 300);

CREATE INDEX IF NOT EXISTS merchants_owing ON merchants (id) WHERE owing_after IS NOT NULL;

-- +goose StatementBegin
-- Zones are kept flat: latitude, longitude and radius in metres of each in turn.
CREATE OR REPLACE FUNCTION zones_valid(zones double precision[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT cardinality(zones) % 3 = 0 AND cardinality(zones) <= 15 AND coalesce(bool_and(CASE (n - 1) % 3
        WHEN 0 THEN v BETWEEN -90 AND 90 WHEN 1 THEN v BETWEEN -180 AND 180 ELSE v BETWEEN 50 AND 2000 END), true)
    FROM unnest(zones) WITH ORDINALITY z(v, n)
$$;
-- +goose StatementEnd

-- The rule holds for every row there is, since each has the default: to look at them would keep everybody out for as long as it takes.
ALTER TABLE couriers
    ADD COLUMN IF NOT EXISTS hidden_zones double precision[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT IF EXISTS courier_hidden_zones_valid,
    ADD CONSTRAINT courier_hidden_zones_valid CHECK (zones_valid(hidden_zones)) NOT VALID;
ALTER TABLE couriers VALIDATE CONSTRAINT courier_hidden_zones_valid;

RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';

ALTER TABLE couriers DROP CONSTRAINT IF EXISTS courier_hidden_zones_valid, DROP COLUMN IF EXISTS hidden_zones;
DROP FUNCTION IF EXISTS zones_valid(double precision[]);
DROP INDEX IF EXISTS merchants_owing;
ALTER TABLE merchants
    DROP COLUMN IF EXISTS owing_after, DROP COLUMN IF EXISTS delay_s, DROP COLUMN IF EXISTS rounding_m, DROP COLUMN IF EXISTS visible_from;

RESET lock_timeout;
