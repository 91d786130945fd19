package doctor

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/store/private"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

func TestExamine_postgres(t *testing.T) {
	t.Parallel()
	t.Run("a fresh database", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		findings := Examine(t.Context(), p)
		for _, check := range []string{
			"postgres", "postgres settings", "postgres writes", "postgres connections", "schema", "announcements", "dead letters", "clock of Postgres",
		} {
			expect(t, findings, check, OK)
		}
		expect(t, findings, "partitions", Warn, "none for today", "role worker")
	})
	t.Run("what is owed, and what is missing", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		conn, err := pgx.Connect(t.Context(), p.DatabaseURL)
		must(t, err)
		defer conn.Close(t.Context())
		exec := func(sql string, args ...any) {
			t.Helper()
			_, err := conn.Exec(t.Context(), sql, args...)
			must(t, err)
		}
		now := time.Now()
		exec("SELECT ensure_position_partitions($1::date, $2::date)", now.UTC(), now.UTC().AddDate(0, 0, 1))
		expect(t, Examine(t.Context(), p), "partitions", Warn, "1 days ahead")
		exec("SELECT ensure_position_partitions($1::date, $2::date)", now.UTC(), now.UTC().AddDate(0, 0, 3))
		exec("INSERT INTO dead_letters (id, entry, payload, session, points, reason, buried_at) VALUES ($1, 'e', '', 's', 1, 'r', now())", tracking.NewID())
		merchant := tracking.NewID()
		exec("INSERT INTO merchants (id, name, created_at) VALUES ($1, 'Corner Kitchen', now())", merchant)
		exec(`INSERT INTO couriers (id, merchant_id, name, vehicle, created_at, updated_at) VALUES ($1, $2, 'Sam', 'bike', now(), now() - interval '1 hour')`,
			tracking.NewID(), merchant)
		findings := Examine(t.Context(), p)
		expect(t, findings, "partitions", OK, "3 days ahead")
		expect(t, findings, "dead letters", Warn, "1 batches", "hotfoot deadletters list")
		expect(t, findings, "announcements", Warn, "1 changes")
	})
	t.Run("settings that lose what was committed, and a database without a schema, which it leaves alone", func(t *testing.T) {
		t.Parallel()
		server, err := private.StartPostgres(t.Context(), private.Config{Dir: storetest.Dir(t), Arguments: []string{
			"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=12", "-c", "superuser_reserved_connections=1",
		}})
		must(t, err)
		defer server.Kill()
		p := healthy(t)
		p.DatabaseURL = server.URL()
		findings := Examine(t.Context(), p)
		expect(t, findings, "postgres settings", Bad, "(fsync=off)", "set fsync=on in")
		expect(t, findings, "postgres synchronous_commit", Warn, "ALTER SYSTEM SET synchronous_commit = on")
		expect(t, findings, "postgres connections", Warn, "of 12 are taken", "max_connections")
		expect(t, findings, "schema", Bad, "lacks", "hotfoot migrate up")
		conn, err := pgx.Connect(t.Context(), p.DatabaseURL)
		must(t, err)
		defer conn.Close(t.Context())
		var tables int
		must(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables))
		if tables != 0 {
			t.Errorf("it made %d tables", tables)
		}
	})
	t.Run("one migration behind", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		conn, err := pgx.Connect(t.Context(), p.DatabaseURL)
		must(t, err)
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
		must(t, err)
		expect(t, Examine(t.Context(), p), "schema", Bad, "lacks 1 of", "hotfoot migrate up")
		_, err = conn.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied)
			SELECT max(version_id) + n, true FROM goose_db_version, generate_series(1, 9) n GROUP BY n`)
		must(t, err)
		expect(t, Examine(t.Context(), p), "schema", OK, "newer version")
	})
	t.Run("a server that takes no changes", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		conn, err := pgx.Connect(t.Context(), p.DatabaseURL)
		must(t, err)
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$")
		must(t, err)
		expect(t, Examine(t.Context(), p), "postgres writes", Bad, "target_session_attrs")
	})
}
