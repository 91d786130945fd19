package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
)

// A long transaction holds a table that a migration changes: it tries again until it can, and nobody has to start it anew.
func TestMigrate_tries_again_while_a_table_is_held(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	pool, err := postgres.Connect(url, 4)
	must(t, err)
	t.Cleanup(pool.Close)
	provider, err := newMigrations(pool)
	must(t, err)
	_, err = provider.DownTo(t.Context(), 1)
	must(t, err)
	must(t, provider.Close())

	long, err := pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = long.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = long.Exec(t.Context(), "SELECT FROM couriers")
	must(t, err)
	said, saying := io.Pipe()
	var out bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(t.Context(), []string{"migrate", "up", "--database-url", url}, &out, saying)
		_ = saying.Close()
	}()
	held := true
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if held && strings.Contains(lines.Text(), "trying again") {
			held = false
			must(t, long.Commit(t.Context()))
		}
	}
	if held {
		t.Error("it never had to wait")
	}
	if got := <-code; got != 0 || !strings.Contains(out.String(), "applied 0002") {
		t.Errorf("exit code %d, out %q", got, out.String())
	}
	if err := checkSchema(t.Context(), pool); err != nil {
		t.Error(err)
	}
}
