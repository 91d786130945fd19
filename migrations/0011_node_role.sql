-- +goose NO TRANSACTION
-- Each statement commits by itself and may be repeated, as in 0002: this runs under traffic.

-- +goose Up
SET lock_timeout = '1s';
-- A node may sign in as a role that cannot change the schema (hotfoot migrate grant). It still needs a day for what it stores when the worker that makes days is away.
ALTER FUNCTION ensure_position_partitions(date, date) SECURITY DEFINER SET search_path FROM CURRENT;
REVOKE ALL ON FUNCTION ensure_position_partitions(date, date) FROM PUBLIC;
RESET lock_timeout;

-- +goose Down
SET lock_timeout = '1s';
GRANT EXECUTE ON FUNCTION ensure_position_partitions(date, date) TO PUBLIC;
ALTER FUNCTION ensure_position_partitions(date, date) SECURITY INVOKER RESET search_path;
RESET lock_timeout;
