package private

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBinaries_missing(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("PGBIN", "/nowhere")
	for program, k := range map[string]kind{"initdb": kinds[0], "redis-server": kinds[1]} {
		_, err := k.start(t.Context(), Config{Dir: testDir(t)})
		if !contains(err, program) || !contains(err, "install") || strings.Contains(err.Error(), "\n") {
			t.Errorf("start says %v, want one line that names %s and how to install it", err, program)
		}
	}
}

func TestBinaries_of_another_version(t *testing.T) {
	dir := testDir(t)
	mustStop(t, kinds[0].mustStart(t, dir))
	if err := os.WriteFile(filepath.Join(dir, "postgres/data/PG_VERSION"), []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := kinds[0].start(t.Context(), Config{Dir: dir}); !contains(err, "the data is of Postgres 7") {
		t.Errorf("start says %v, want that it has no Postgres 7", err)
	}
}

func TestBinaries_PGBIN_is_the_only_place(t *testing.T) {
	bin := filepath.Dir(testDir(t))
	t.Setenv("PGBIN", bin)
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := postgresBin(""); err == nil {
			t.Fatalf("found Postgres before %s was there", program)
		}
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := postgresBin(""); got != bin || err != nil {
		t.Errorf("found %q, %v; want %s", got, err, bin)
	}
}

func TestKin_owns(t *testing.T) {
	t.Parallel()
	k := kin{program: "postgres", mark: "hotfoot-postgres-0123456789ab"}
	for line, want := range map[string]bool{
		"/usr/lib/postgresql/15/bin/postgres -D data -c cluster_name=hotfoot-postgres-0123456789ab": true,
		"postgres: hotfoot-postgres-0123456789ab: checkpointer ":                                    true,
		"postgres: hotfoot-postgres-ffffffffffff: checkpointer ":                                    false,
		"grep postgres hotfoot-postgres-0123456789ab":                                               false,
		"vi /home/me/postgres/hotfoot-postgres-0123456789ab":                                        false,
		"[postgres]":    false, // nobody can tell whose
		"[kworker/0:1]": false,
	} {
		if got := k.owns(line); got != want {
			t.Errorf("owns(%q) is %v, want %v", line, got, want)
		}
		if got := k.mayOwn(line); got != (want || line == "[postgres]") {
			t.Errorf("mayOwn(%q) is %v", line, got)
		}
	}
}
