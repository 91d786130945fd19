package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

func TestStore_LimitCounts(t *testing.T) {
	t.Parallel()
	pool := storetest.Postgres(t)
	store := postgres.New(pool, nil)
	mine, theirs, node, other := tracking.NewID(), tracking.NewID(), tracking.NewID(), tracking.NewID()
	minute := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	policy := tracking.LimitPolicy{Kind: tracking.TokenBucket, Limit: 10, Period: 90 * time.Second, Burst: 20}
	count := func(merchant tracking.ID, at time.Time, key string, allowed, refused int64) tracking.LimitCount {
		return tracking.LimitCount{
			MerchantID: merchant, Minute: at, Subject: tracking.NewLimitSubject(policy, string(merchant[:]), key), Policy: policy,
			KeyHash: tracking.HashLimitKey(key), Allowed: allowed, Refused: refused,
		}
	}
	keep := func(node tracking.ID, counts ...tracking.LimitCount) {
		t.Helper()
		must(t, store.KeepLimitCounts(t.Context(), node, counts))
	}
	all := tracking.LimitFilter{From: minute.Add(-time.Hour), To: minute.Add(time.Hour), Limit: 100}
	list := func(f tracking.LimitFilter) []tracking.LimitCount {
		t.Helper()
		counts, err := store.LimitCounts(t.Context(), mine, f)
		must(t, err)
		return counts
	}
	keep(node, count(mine, minute, "a", 5, 1), count(mine, minute.Add(time.Minute), "a", 1, 0), count(theirs, minute, "a", 100, 100))
	t.Run("totals of a node grow, and a write that is repeated or late changes nothing", func(t *testing.T) {
		for _, c := range []tracking.LimitCount{count(mine, minute, "a", 7, 2), count(mine, minute, "a", 7, 2), count(mine, minute, "a", 5, 1)} {
			keep(node, c)
		}
		if got := list(all); len(got) != 2 || got[0] != count(mine, minute, "a", 7, 2) || got[1] != count(mine, minute.Add(time.Minute), "a", 1, 0) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("nodes are added up", func(t *testing.T) {
		keep(other, count(mine, minute, "a", 3, 3))
		if got := list(all); got[0] != count(mine, minute, "a", 10, 5) {
			t.Errorf("got %+v", got[0])
		}
	})
	t.Run("from is included, to is not, and what comes after one is listed once", func(t *testing.T) {
		if got := list(tracking.LimitFilter{From: minute, To: minute.Add(time.Minute), Limit: 100}); len(got) != 1 || got[0].Allowed != 10 {
			t.Errorf("got %+v", got)
		}
		for n := range 7 {
			keep(node, count(mine, minute, fmt.Sprint(n), 1, 0))
		}
		want, f := list(all), all
		f.Limit = 2
		var got []tracking.LimitCount
		for {
			some := list(f)
			if len(some) == 0 {
				break
			}
			got = append(got, some...)
			f.AfterMinute, f.AfterSubject = some[len(some)-1].Minute, some[len(some)-1].Subject
		}
		if len(want) != 9 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("page by page\n%v, want\n%v", got, want)
		}
	})
	t.Run("old ones are forgotten, however many", func(t *testing.T) {
		_, err := pool.Exec(t.Context(), `INSERT INTO limit_decisions SELECT merchant_id, minute - interval '1 day', decode(md5(n::text), 'hex'), node, kind, quota, period_ms, burst,
			key_hash, allowed, refused FROM (SELECT * FROM limit_decisions LIMIT 1) one, generate_series(1, 12000) n`)
		must(t, err)
		before := len(list(all))
		must(t, store.ForgetLimitCounts(t.Context(), minute))
		var left int
		must(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM limit_decisions WHERE minute < $1`, minute).Scan(&left))
		if got := len(list(all)); left != 0 || got != before {
			t.Errorf("%d old ones are left, and %d of %d new ones", left, got, before)
		}
	})
	t.Run("as large as they may be", func(t *testing.T) {
		c := count(mine, minute, "large", 1<<62, 1<<62)
		c.Policy.Limit, c.Policy.Period = tracking.MaxLimit, tracking.MaxLimitPeriod
		keep(node, c)
	})
}
