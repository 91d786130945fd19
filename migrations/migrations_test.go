package migrations_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3"

	"hotfoot/migrations"
	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// schema is a database that a test migrates up and down.
type schema struct {
	*goose.Provider
	pool *pgxpool.Pool
}

func newSchema(t *testing.T) schema {
	t.Helper()
	pool := storetest.Postgres(t)
	db, err := sql.Open("pgx", pool.Config().ConnString())
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	must(t, err)
	return schema{provider, pool}
}

func (s schema) exec(t *testing.T, sql string) {
	t.Helper()
	_, err := s.pool.Exec(t.Context(), sql)
	must(t, err)
}

func (s schema) count(t *testing.T, sql string) (n int) {
	t.Helper()
	must(t, s.pool.QueryRow(t.Context(), sql).Scan(&n))
	return n
}

// hire makes couriers of one merchant, each of its own revision.
func (s schema) hire(t *testing.T, couriers string) {
	t.Helper()
	s.exec(t, `WITH m AS (INSERT INTO merchants (id, name, created_at) VALUES (gen_random_uuid(), 'Mine', now()) RETURNING id)
		INSERT INTO couriers (id, merchant_id, name, vehicle, rev, created_at) SELECT gen_random_uuid(), m.id, 'Sam', 'bike', n, now() FROM m, generate_series(1, `+couriers+`) n`)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// describe lists what a schema consists of, so that two can be compared.
func (s schema) describe(t *testing.T) string {
	t.Helper()
	var all string
	must(t, s.pool.QueryRow(t.Context(), `SELECT string_agg(what, E'\n' ORDER BY what) FROM (
		SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
		FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT proname || md5(regexp_replace(prosrc, '--[^\n]*\n\s*', '', 'g')) FROM pg_proc WHERE pronamespace = 'public'::regnamespace) d (what)`).Scan(&all))
	return all
}

// Each migration, taken back, leaves what the ones before had made, and made again it is the same again.
func TestDown(t *testing.T) {
	t.Parallel()
	s := newSchema(t)
	newest := s.describe(t)
	sources := s.ListSources()
	without := make([]string, len(sources)) // what is left when a migration and those after it are taken back
	for i := len(sources) - 1; i >= 0; i-- {
		_, err := s.Down(t.Context())
		must(t, err)
		without[i] = s.describe(t)
	}
	if strings.Contains(without[0], "couriers") {
		t.Errorf("after all the way down there are\n%s", without[0])
	}
	for i, source := range sources[:len(sources)-1] {
		_, err := s.UpTo(t.Context(), source.Version)
		must(t, err)
		if got := s.describe(t); got != without[i+1] {
			t.Errorf("%s, taken back, leaves\n%s\nwant what those before it made\n%s", sources[i+1].Path, without[i+1], got)
		}
	}
	_, err := s.Up(t.Context())
	must(t, err)
	if got := s.describe(t); got != newest {
		t.Errorf("down and up again it is\n%s\nwant\n%s", got, newest)
	}
}

func TestReliability(t *testing.T) {
	t.Parallel()
	back := func(t *testing.T) schema {
		t.Helper()
		s := newSchema(t)
		_, err := s.DownTo(t.Context(), 1)
		must(t, err)
		return s
	}
	t.Run("takes what couriers there are for told", func(t *testing.T) {
		t.Parallel()
		s := back(t)
		s.hire(t, "2500") // more than it takes in one step
		_, err := s.Up(t.Context())
		must(t, err)
		if n := s.count(t, "SELECT count(*) FROM couriers WHERE published_rev = rev AND updated_at > now() - interval '1 minute'"); n != 2500 {
			t.Errorf("%d of 2500 are", n)
		}
		// A node of the version before goes on making couriers and changing them.
		s.exec(t, "INSERT INTO couriers (id, merchant_id, name, vehicle, created_at) SELECT gen_random_uuid(), id, 'Kim', 'car', now() FROM merchants")
		s.exec(t, "UPDATE couriers SET rev = rev + 1 WHERE rev = 7")
		if n := s.count(t, "SELECT count(*) FROM couriers WHERE published_rev < rev"); n != 2 {
			t.Errorf("%d are to be told of, want the new and the changed", n)
		}
	})
	t.Run("gives up when it cannot have a lock, queues nobody for long, and can be run again", func(t *testing.T) {
		t.Parallel()
		s := back(t)
		s.hire(t, "3")
		long, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = long.Rollback(context.WithoutCancel(t.Context())) }()
		_, err = long.Exec(t.Context(), "SELECT FROM couriers")
		must(t, err)
		ended := make(chan error, 1)
		go func() {
			_, err := s.Up(t.Context())
			ended <- err
		}()
		began := time.Now()
		for waiting := true; waiting; {
			select {
			case err = <-ended:
				waiting = false
			default:
				s.exec(t, "UPDATE couriers SET name = 'Max'") // traffic: it may have to wait, but not to fail
			}
		}
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "55P03" {
			t.Fatalf("got %v, want that it could not have the lock", err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %v to give up", took)
		}
		must(t, long.Commit(t.Context()))
		_, err = s.Up(t.Context())
		must(t, err)
	})
	t.Run("waits for couriers in the order in which everybody does", func(t *testing.T) {
		t.Parallel()
		s := back(t)
		s.hire(t, "5000")
		ctx, stop := context.WithCancel(t.Context())
		var dispatching sync.WaitGroup
		for range 6 {
			dispatching.Go(func() {
				for ctx.Err() == nil {
					// As two couriers are locked whose routes change.
					_, err := s.pool.Exec(t.Context(), `SELECT FROM couriers WHERE rev IN (1 + floor(random() * 5000), 1 + floor(random() * 5000)) ORDER BY id FOR NO KEY UPDATE`)
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		_, err := s.Up(t.Context())
		stop()
		dispatching.Wait()
		must(t, err)
	})
}

func TestSummary_index(t *testing.T) {
	t.Parallel()
	s := newSchema(t)
	// As it is when whoever was building it has died.
	s.exec(t, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'deliveries_by_merchant_day'::regclass`)
	s.exec(t, `DELETE FROM goose_db_version WHERE version_id >= 4`)
	_, err := s.Up(t.Context())
	must(t, err)
	if n := s.count(t, `SELECT count(*) FROM pg_index WHERE indexrelid = 'deliveries_by_merchant_day'::regclass AND indisvalid`); n != 1 {
		t.Error("an index that was not finished is taken for one")
	}
}

func TestSuspect(t *testing.T) {
	t.Parallel()
	s := newSchema(t)
	_, err := s.DownTo(t.Context(), 6)
	must(t, err)
	s.exec(t, "SELECT ensure_position_partitions(current_date - 1, current_date)")
	s.exec(t, "INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon) SELECT gen_random_uuid(), now(), now(), 1, 2 FROM generate_series(1, 100)")
	_, err = s.Up(t.Context())
	must(t, err)
	if n := s.count(t, "SELECT count(*) FROM positions WHERE suspect IS NULL"); n != 100 {
		t.Errorf("%d of 100 positions of before are believed", n)
	}
	// A node of the version before goes on storing, and a day that is made afterwards takes the reasons too.
	s.exec(t, "INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon) VALUES (gen_random_uuid(), now(), now(), 1, 2)")
	s.exec(t, "SELECT ensure_position_partitions(current_date + 1, current_date + 1)")
	s.exec(t, "INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon, suspect) VALUES (gen_random_uuid(), current_date + 1, now(), 1, 2, 5)")
	_, err = s.pool.Exec(t.Context(), "INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon, suspect) VALUES (gen_random_uuid(), current_date + 1, now(), 1, 2, 6)")
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.ConstraintName != "position_suspect_known" {
		t.Errorf("a reason that nobody knows: %v", err)
	}
	if n := s.count(t, "SELECT count(*) FROM pg_constraint WHERE conname = 'position_suspect_known' AND NOT convalidated"); n != 0 {
		t.Errorf("%d tables are not checked", n)
	}
}

func TestTrimSeqs(t *testing.T) {
	t.Parallel()
	s := newSchema(t)
	for _, c := range []struct{ name, sql, want string }{
		{"nothing", "'{}'::int8multirange", "{}"},
		{"one range", "'{[1,10)}'::int8multirange", "{[1,10)}"},
		{"as many as may be", "(SELECT range_agg(int8range(n * 2, n * 2 + 1)) FROM generate_series(1, 513) n)", ""},
	} {
		var got, whole string
		must(t, s.pool.QueryRow(t.Context(), "SELECT trim_seqs("+c.sql+")::text, "+c.sql+"::text").Scan(&got, &whole))
		if got != whole || c.want != "" && got != c.want {
			t.Errorf("%s: %s became %s", c.name, whole, got)
		}
	}
	var ranges, first, second, last int
	must(t, s.pool.QueryRow(t.Context(), `WITH r AS (SELECT r, row_number() OVER () n FROM unnest(trim_seqs(
		(SELECT range_agg(int8range(n * 2, n * 2 + 1)) FROM generate_series(1, 1000) n))) r)
		SELECT count(*), min(lower(r)), min(lower(r)) FILTER (WHERE n > 1), max(lower(r)) FROM r`).Scan(&ranges, &first, &second, &last))
	if ranges != 513 || first != 2 || second != 2*(1000-511) || last != 2000 {
		t.Errorf("of a thousand %d are left: %d, then %d to %d", ranges, first, second, last)
	}
}
