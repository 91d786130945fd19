package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
)

// What a node's role is given suffices for it to serve: the tests of tracking/api sign in as one. Here is what it was not given.
func TestStore_Grant(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	_, err := s.pool.Exec(t.Context(), `CREATE TABLE later (id int)`)
	must(t, err)
	node := storetest.PostgresAs(t, s.pool, "hotfoot_node", s.Grant)
	must(t, s.Grant(t.Context(), "hotfoot_node")) // again
	for _, sql := range []string{
		`CREATE TABLE mine (id int)`, `CREATE TEMP TABLE audit_log (id int)`, `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'`, `CREATE SCHEMA mine`,
		`DROP TABLE deliveries`, `ALTER TABLE deliveries ADD COLUMN mine int`, `ALTER TABLE deliveries DISABLE TRIGGER audit`, `DROP TRIGGER audit ON deliveries`,
		`CREATE INDEX ON deliveries (note)`, `TRUNCATE deliveries`, `SET session_replication_role = replica`,
		`DELETE FROM deliveries`, `DELETE FROM delivery_events`, `UPDATE delivery_events SET status = 'created'`, `DELETE FROM positions`, `UPDATE positions SET lat = 0`,
		`DELETE FROM api_keys`, `DELETE FROM couriers`, `INSERT INTO merchants (id, name, created_at) VALUES (gen_random_uuid(), 'x', now())`, `DELETE FROM merchants`,
		`UPDATE epoch SET epoch = 9`, `UPDATE audit_log SET actor = 'system'`, `DELETE FROM audit_log`, `TRUNCATE audit_log`, `SELECT * FROM later`,
		`COPY deliveries TO PROGRAM 'cat'`, `COPY deliveries FROM '/etc/passwd'`, `CREATE ROLE other`, `ALTER ROLE hotfoot_node SUPERUSER`,
	} {
		_, err := node.Exec(t.Context(), sql)
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
	t.Run("and what it was", func(t *testing.T) {
		serving := postgres.New(node, nil)
		if _, err := serving.Record(t.Context(), r.Delivery.ID); err != nil {
			t.Error(err)
		}
		// A day that no worker has made.
		if err := serving.EnsurePartitions(t.Context(), now(), now()); err != nil {
			t.Error(err)
		}
	})
	if err := s.Grant(t.Context(), "nobody"); err == nil {
		t.Error("a role that is not there was given something")
	}
}
