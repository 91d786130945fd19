package storetest_test

import (
	"testing"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestPostgres_a_test_has_a_database_of_its_own(t *testing.T) {
	t.Parallel()
	one, two := storetest.Postgres(t), storetest.Postgres(t)
	if _, err := one.Exec(t.Context(), "UPDATE epoch SET epoch = 7"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url  string
		want int64
	}{{one.Config().ConnString(), 7}, {two.Config().ConnString(), 1}} {
		_ = c
	}
}
