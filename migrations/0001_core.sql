-- +goose Up

-- A tenant. Everything else belongs to exactly one.
CREATE TABLE merchants (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    -- A customer sees the courier only when at most this many stops come before theirs.
    visible_stops int NOT NULL DEFAULT 2,
    created_at    timestamptz NOT NULL,
    CONSTRAINT merchant_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT merchant_visible_stops_range CHECK (visible_stops BETWEEN 0 AND 50)
);
CREATE UNIQUE INDEX merchants_name ON merchants (name);

CREATE TABLE couriers (
    id          uuid PRIMARY KEY,
    merchant_id uuid NOT NULL REFERENCES merchants (id),
    name        text NOT NULL,
    vehicle     text NOT NULL,
    phone       text,
    on_duty     boolean NOT NULL DEFAULT false,
    -- Raised by every change of the row; the hot copy is only ever replaced by a higher one.
    rev         bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    CONSTRAINT courier_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT courier_vehicle_known CHECK (vehicle IN ('foot', 'bike', 'scooter', 'car', 'van')),
    CONSTRAINT courier_phone_length CHECK (length(phone) <= 40)
);
CREATE INDEX couriers_by_merchant ON couriers (merchant_id, id);

-- On duty from started_at until ended_at; at most one open shift a courier.
CREATE TABLE shifts (
    id         uuid PRIMARY KEY,
    courier_id uuid NOT NULL REFERENCES couriers (id),
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT shift_ends_after_start CHECK (ended_at >= started_at)
);
CREATE UNIQUE INDEX shifts_open ON shifts (courier_id) WHERE ended_at IS NULL;
CREATE INDEX shifts_by_courier ON shifts (courier_id, started_at);

-- Only the SHA-256 of a key is kept: keys are long and random, so a slow hash would protect nothing and cost the hot path.
CREATE TABLE api_keys (
    id          uuid PRIMARY KEY,
    merchant_id uuid NOT NULL REFERENCES merchants (id),
    role        text NOT NULL,
    courier_id  uuid REFERENCES couriers (id),
    hash        bytea NOT NULL,
    hint        text NOT NULL,
    label       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    CONSTRAINT api_key_role_known CHECK (role IN ('merchant', 'ops', 'courier')),
    CONSTRAINT api_key_courier_for_courier_role CHECK ((role = 'courier') = (courier_id IS NOT NULL)),
    CONSTRAINT api_key_hash_is_sha256 CHECK (length(hash) = 32)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_by_merchant ON api_keys (merchant_id, created_at);
CREATE INDEX api_keys_by_courier ON api_keys (courier_id) WHERE courier_id IS NOT NULL;

CREATE TABLE deliveries (
    id              uuid PRIMARY KEY,
    merchant_id     uuid NOT NULL REFERENCES merchants (id),
    external_id     text,
    status          text NOT NULL,
    -- The newest event's number: assigned under this row's lock, so it has no holes and follows commit order.
    ver             bigint NOT NULL,
    -- Raised by every change of the row, status or not; published_rev trails it until viewers have been told.
    rev             bigint NOT NULL DEFAULT 1,
    published_rev   bigint NOT NULL DEFAULT 0,
    courier_id      uuid REFERENCES couriers (id),
    -- Place in the courier's route, ascending, with holes; and how many of the courier's unfinished stops come before.
    route_order     bigint,
    stops_before    int,
    pickup_lat      double precision NOT NULL,
    pickup_lon      double precision NOT NULL,
    pickup_address  text NOT NULL DEFAULT '',
    pickup_name     text NOT NULL DEFAULT '',
    dropoff_lat     double precision NOT NULL,
    dropoff_lon     double precision NOT NULL,
    dropoff_address text NOT NULL DEFAULT '',
    dropoff_name    text NOT NULL DEFAULT '',
    recipient_name  text NOT NULL DEFAULT '',
    recipient_phone text NOT NULL DEFAULT '',
    window_from     timestamptz,
    window_to       timestamptz,
    note            text NOT NULL DEFAULT '',
    -- The generation that a tracking link must carry; raising it revokes every link given out before.
    link_gen        smallint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    CONSTRAINT delivery_status_known CHECK (status IN ('created', 'assigned', 'picked_up', 'en_route', 'arriving',
        'delivered', 'cancelled', 'failed', 'returned')),
    CONSTRAINT delivery_ver_positive CHECK (ver >= 1),
    CONSTRAINT delivery_courier_unless_created CHECK (courier_id IS NOT NULL OR status IN ('created', 'cancelled')),
    CONSTRAINT delivery_finished_when_final CHECK ((finished_at IS NOT NULL) = (status IN ('delivered', 'cancelled', 'returned'))),
    -- BETWEEN, not >=: in Postgres NaN is greater than every number, so only an upper bound keeps it out.
    CONSTRAINT delivery_pickup_on_earth CHECK (pickup_lat BETWEEN -90 AND 90 AND pickup_lon BETWEEN -180 AND 180),
    CONSTRAINT delivery_dropoff_on_earth CHECK (dropoff_lat BETWEEN -90 AND 90 AND dropoff_lon BETWEEN -180 AND 180),
    CONSTRAINT delivery_window_ordered CHECK (window_to >= window_from),
    CONSTRAINT delivery_link_gen_one_byte CHECK (link_gen BETWEEN 0 AND 255),
    CONSTRAINT delivery_note_length CHECK (length(note) <= 2000)
);
CREATE UNIQUE INDEX deliveries_external_id ON deliveries (merchant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX deliveries_by_merchant ON deliveries (merchant_id, id DESC);
CREATE INDEX deliveries_by_merchant_status ON deliveries (merchant_id, status, id DESC);
CREATE INDEX deliveries_route ON deliveries (courier_id, route_order) WHERE finished_at IS NULL;
CREATE INDEX deliveries_by_courier ON deliveries (courier_id, id DESC);
CREATE INDEX deliveries_unpublished ON deliveries (updated_at) WHERE published_rev < rev;

CREATE TABLE delivery_events (
    delivery_id     uuid NOT NULL REFERENCES deliveries (id),
    ver             bigint NOT NULL,
    status          text NOT NULL,
    at              timestamptz NOT NULL,
    -- When the courier's phone says it happened; data, never order.
    device_at       timestamptz,
    actor_kind      text NOT NULL,
    actor_id        uuid,
    courier_id      uuid,
    client_event_id text,
    -- SHA-256 of what was asked, so that the same client_event_id with another body is told apart from a retry.
    request_hash    bytea,
    reason          text NOT NULL DEFAULT '',
    proof_left_at   text NOT NULL DEFAULT '',
    proof_name      text NOT NULL DEFAULT '',
    lat             double precision,
    lon             double precision,
    PRIMARY KEY (delivery_id, ver),
    CONSTRAINT event_status_known CHECK (status IN ('created', 'assigned', 'picked_up', 'en_route', 'arriving',
        'delivered', 'cancelled', 'failed', 'returned')),
    CONSTRAINT event_ver_positive CHECK (ver >= 1),
    CONSTRAINT event_actor_known CHECK (actor_kind IN ('merchant', 'ops', 'courier', 'system')),
    CONSTRAINT event_client_id_with_hash CHECK ((client_event_id IS NULL) = (request_hash IS NULL)),
    CONSTRAINT event_on_earth CHECK (lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180)
);
CREATE UNIQUE INDEX delivery_events_client_id ON delivery_events (delivery_id, client_event_id) WHERE client_event_id IS NOT NULL;

-- What a merchant's Idempotency-Key made, so that a retried POST /v1/deliveries answers the same delivery.
CREATE TABLE idempotency_keys (
    merchant_id  uuid NOT NULL REFERENCES merchants (id),
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    delivery_id  uuid NOT NULL REFERENCES deliveries (id),
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key)
);

-- One row a fix. The key holds what identifies a point to its phone, plus the partition column, which Postgres demands: a
-- resent point carries the same recorded_at, so a repeat lands on the same key whatever day it arrives.
CREATE TABLE positions (
    courier_id  uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    session     text NOT NULL DEFAULT '',
    seq         bigint NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    lat         double precision NOT NULL,
    lon         double precision NOT NULL,
    accuracy_m  real,
    speed_mps   real,
    heading_deg real,
    altitude_m  real,
    battery     real,
    PRIMARY KEY (courier_id, recorded_at, session, seq),
    CONSTRAINT position_on_earth CHECK (lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180),
    CONSTRAINT position_accuracy_range CHECK (accuracy_m BETWEEN 0 AND 1e7),
    CONSTRAINT position_speed_range CHECK (speed_mps BETWEEN 0 AND 1e4),
    CONSTRAINT position_heading_range CHECK (heading_deg BETWEEN 0 AND 360),
    CONSTRAINT position_altitude_range CHECK (altitude_m BETWEEN -1e5 AND 1e6),
    CONSTRAINT position_battery_range CHECK (battery BETWEEN 0 AND 1)
) PARTITION BY RANGE (recorded_at);

-- Which seqs of a phone's session are durable. The first range that starts at 0 or 1 ends at durable_seq: contiguous, never
-- the highest, since a phone that uploads its newest points first would otherwise forget the rest.
CREATE TABLE position_sessions (
    courier_id uuid NOT NULL,
    session    text NOT NULL,
    seqs       int8multirange NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (courier_id, session)
);

-- Raised only when history was rewritten (a restore, a failover that lost its tail): viewers then forget what they knew.
CREATE TABLE epoch (
    one   boolean PRIMARY KEY DEFAULT true,
    epoch bigint NOT NULL,
    CONSTRAINT epoch_single_row CHECK (one),
    CONSTRAINT epoch_positive CHECK (epoch >= 1)
);
INSERT INTO epoch (epoch) VALUES (1);

-- +goose StatementBegin
-- Makes the daily partitions of positions from one day to another, both included; those that exist are left alone.
CREATE FUNCTION ensure_position_partitions(first_day date, last_day date) RETURNS int LANGUAGE plpgsql AS $$
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

-- +goose Down
DROP FUNCTION ensure_position_partitions(date, date);
DROP TABLE epoch, position_sessions, positions, idempotency_keys, delivery_events, deliveries, api_keys, shifts, couriers, merchants;
