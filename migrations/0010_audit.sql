-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, as in 0002: this runs under traffic.

-- +goose Up
SET lock_timeout = '1s';

-- Who changed what. Rows are written by triggers, in the transaction that makes the change: so no change of these tables is without one, whoever makes it, and
-- none is here that was rolled back. A worker then seals them, one after the other: n counts them without holes, and hash is over the row and the hash of the
-- one before (tracking.AuditEntry), so that a row that was altered, or is gone, can be told.
CREATE TABLE IF NOT EXISTS audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    merchant_id uuid,
    -- merchant, ops or courier, by a key; operator, by a command; system, by itself; database, by a session that did not say.
    actor       text NOT NULL,
    -- The key, or the courier.
    actor_id    uuid,
    -- The role that the session had signed in with.
    db_role     text NOT NULL DEFAULT session_user,
    action      text NOT NULL,
    -- The table, and the row; '' for many rows, or the only one.
    subject     text NOT NULL,
    subject_id  text NOT NULL,
    -- What changed, by column: [before, after], or null where that would tell of people. As text: the hash is over these bytes.
    changes     json NOT NULL,
    n           bigint,
    hash        bytea,
    CONSTRAINT audit_sealed_with_hash CHECK ((n IS NULL) = (hash IS NULL)),
    CONSTRAINT audit_hash_is_sha256 CHECK (length(hash) = 32)
);
CREATE UNIQUE INDEX IF NOT EXISTS audit_log_n ON audit_log (n) WHERE n IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_unsealed ON audit_log (id) WHERE n IS NULL;
CREATE INDEX IF NOT EXISTS audit_log_by_merchant ON audit_log (merchant_id, id DESC);
CREATE INDEX IF NOT EXISTS audit_log_by_subject ON audit_log (subject_id, id DESC);

-- +goose StatementBegin
-- Adds an entry. The actor is what the transaction says of itself: kind:id.
CREATE OR REPLACE FUNCTION audit_add(merchant uuid, action text, subject text, subject_id text, changes jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    who text := coalesce(nullif(current_setting('hotfoot.actor', true), ''), 'database:');
BEGIN
    INSERT INTO audit_log (merchant_id, actor, actor_id, action, subject, subject_id, changes)
    VALUES (merchant, split_part(who, ':', 1), nullif(split_part(who, ':', 2), '')::uuid, action, subject, subject_id, changes::json);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Of a row. The trigger's first argument names the columns whose values may be told, the second those of which nothing is; of others it is told that they changed.
CREATE OR REPLACE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told    text[] := string_to_array(TG_ARGV[0], ' ');
    untold  text[] := string_to_array(TG_ARGV[1], ' ');
    before  jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE jsonb_strip_nulls(to_jsonb(OLD)) END;
    after   jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE jsonb_strip_nulls(to_jsonb(NEW)) END;
    id      text := coalesce(after ->> 'id', before ->> 'id', '');
    changes jsonb;
BEGIN
    SELECT jsonb_object_agg(name, CASE WHEN name = ANY (told) THEN jsonb_build_array(before -> name, after -> name) END) INTO changes
    FROM jsonb_object_keys(before || after) name
    WHERE name <> ALL (untold) AND before -> name IS DISTINCT FROM after -> name;
    IF changes IS NOT NULL THEN
        PERFORM audit_add(
            (CASE WHEN TG_TABLE_NAME = 'merchants' THEN id ELSE coalesce(after ->> 'merchant_id', before ->> 'merchant_id') END)::uuid,
            lower(TG_OP), TG_TABLE_NAME, id, changes);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Of as many rows as a statement touched.
CREATE OR REPLACE FUNCTION audit_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint := (SELECT count(*) FROM gone);
BEGIN
    IF touched > 0 THEN
        PERFORM audit_add(NULL, lower(TG_OP), TG_TABLE_NAME, '', jsonb_build_object('rows', touched));
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION audit_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM audit_add(NULL, 'truncate', TG_TABLE_NAME, '', '{}');
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Keeps the log from being changed by mistake: nobody who may write tables is kept from anything by it, but what they did is then seen in the chain.
CREATE OR REPLACE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.n IS NULL THEN
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' AND OLD.n IS NULL AND NEW.n IS NOT NULL AND to_jsonb(NEW) - '{n,hash}'::text[] = to_jsonb(OLD) - '{n,hash}'::text[] THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' AND current_setting('hotfoot.expiring', true) = 'audit_log' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_log can only be added to' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What retention took from the front is told, with the hash that the rest goes on from.
CREATE OR REPLACE FUNCTION audit_expired() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    SELECT n, hash INTO last FROM gone ORDER BY n DESC NULLS FIRST LIMIT 1;
    IF FOUND THEN
        PERFORM audit_add(NULL, 'delete', 'audit_log', '', jsonb_build_object('rows', (SELECT count(*) FROM gone), 'through', last.n, 'hash', encode(last.hash, 'hex')));
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER audit_guard BEFORE INSERT OR UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_guard();
CREATE OR REPLACE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION audit_guard();
CREATE OR REPLACE TRIGGER audit_expired AFTER DELETE ON audit_log REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_expired();

-- What is silent below follows from what is told, or is how nodes tell each other. Postgres refuses to alter the type of a column that is named here: a migration
-- that must drops the trigger first and makes it again, in one transaction.
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF name, visible_stops, visible_from, rounding_m, delay_s ON merchants
    FOR EACH ROW EXECUTE FUNCTION audit_row('visible_stops visible_from rounding_m delay_s', 'id created_at owing_after');
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF merchant_id, name, vehicle, phone, on_duty, hidden_zones ON couriers
    FOR EACH ROW EXECUTE FUNCTION audit_row('vehicle on_duty', 'id merchant_id created_at updated_at rev published_rev');
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION audit_row('role courier_id expires_at revoked_at', 'id merchant_id created_at hint');
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE OF merchant_id, external_id, status, courier_id, pickup_lat, pickup_lon, pickup_address, pickup_name,
    dropoff_lat, dropoff_lon, dropoff_address, dropoff_name, recipient_name, recipient_phone, window_from, window_to, note, link_gen, redacted_at ON deliveries
    FOR EACH ROW EXECUTE FUNCTION audit_row('status courier_id link_gen redacted_at',
        'id merchant_id created_at updated_at finished_at ver rev published_rev route_order stops_before');
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON epoch FOR EACH ROW EXECUTE FUNCTION audit_row('epoch', 'one');

CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE ON delivery_events REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_rows();
CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON delivery_events REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_rows();
CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON positions REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_rows();
CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON dead_letters REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION audit_rows();

CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON merchants FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON couriers FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON api_keys FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON deliveries FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON delivery_events FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON positions FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();
CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON dead_letters FOR EACH STATEMENT EXECUTE FUNCTION audit_truncate();

RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';
DROP FUNCTION IF EXISTS audit_row() CASCADE;
DROP FUNCTION IF EXISTS audit_rows() CASCADE;
DROP FUNCTION IF EXISTS audit_truncate() CASCADE;
DROP TABLE IF EXISTS audit_log;
DROP FUNCTION IF EXISTS audit_guard();
DROP FUNCTION IF EXISTS audit_expired();
DROP FUNCTION IF EXISTS audit_add(uuid, text, text, text, jsonb);
RESET lock_timeout;
