package api_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// check asks for one decision on a key under a policy of two an hour.
func check(key string, more ...any) object {
	return with(object{"policy": object{"kind": "fixed_window", "limit": 2, "period_s": 3600}, "key": key}, more...)
}

func TestServer_checkLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	ask := func(t *testing.T, who *tenant, body object) object {
		t.Helper()
		return s.do(t, "POST", "/v1/limits/check", who.merchant, body).want(t, 200)
	}
	t.Run("decides, and says what is left", func(t *testing.T) {
		t.Parallel()
		for n, want := range []object{{"allowed": true, "remaining": 1.0}, {"allowed": true, "remaining": 0.0}, {"allowed": false, "remaining": 0.0}} {
			o := ask(t, s.tenant, check("driver 7"))
			reset, retry := o["reset_s"].(float64), o["retry_after_s"].(float64)
			if o["allowed"] != want["allowed"] || o["remaining"] != want["remaining"] || o["limit"] != 2.0 || reset < 3500 || reset > 3600 || (retry > 0) == want["allowed"].(bool) {
				t.Errorf("the %d. time: %v", n+1, o)
			}
		}
	})
	t.Run("takes all that is asked for, or nothing", func(t *testing.T) {
		t.Parallel()
		bucket := object{"kind": "token_bucket", "limit": 10, "period_s": 86400, "burst": 5}
		for _, step := range []struct {
			cost    int
			allowed bool
		}{{3, true}, {3, false}, {2, true}, {1, false}} {
			if o := ask(t, s.tenant, check("parcels", "policy", bucket, "cost", step.cost)); o["allowed"] != step.allowed || o["limit"] != 5.0 {
				t.Errorf("%d: %v", step.cost, o)
			}
		}
	})
	t.Run("keys may have any characters, and each is its own, of its merchant", func(t *testing.T) {
		t.Parallel()
		keys := []string{"{p0}:limit:x", "x}{", "{}", " ", "a b", "é", "e\u0301", "*", "x\n", "x\r\nDEL y", "\u202ex", "👋🏽", `"\`, strings.Repeat("é", 256)}
		for round := range 2 {
			for _, who := range []*tenant{s.tenant, other} {
				for _, key := range keys {
					if o := ask(t, who, check(key)); o["remaining"] != float64(1-round) {
						t.Errorf("%q: %v, want that %d are left", key, o, 1-round)
					}
				}
			}
		}
	})
	t.Run("names the field that is wrong", func(t *testing.T) {
		t.Parallel()
		policy := func(changes ...any) object {
			return check("k", "policy", with(check("")["policy"].(object), changes...))
		}
		for name, c := range map[string]struct {
			body     object
			location string
		}{
			"no policy":                   {check("k", "policy", nil), "policy"},
			"no kind":                     {policy("kind", nil), "policy.kind"},
			"a kind that is none":         {policy("kind", "leaky"), "policy.kind"},
			"a limit of nothing":          {policy("limit", 0), "policy.limit"},
			"a negative limit":            {policy("limit", -1), "policy.limit"},
			"a limit without end":         {policy("limit", 1e18), "policy.limit"},
			"half a limit":                {policy("limit", 0.5), "policy.limit"},
			"no period":                   {policy("period_s", nil), "policy.period_s"},
			"a period of nothing":         {policy("period_s", 0), "policy.period_s"},
			"a period of a year":          {policy("period_s", 31_536_000), "policy.period_s"},
			"a window with a burst":       {policy("burst", 5), "policy.burst"},
			"a burst of nothing":          {policy("burst", 0), "policy.burst"},
			"a bucket faster than it can": {policy("kind", "token_bucket", "limit", 10_001, "period_s", 1), "policy.limit"},
			"no key":                      {check("k", "key", nil), "key"},
			"an empty key":                {check(""), "key"},
			"a key of 513":                {check(strings.Repeat("k", 513)), "key"},
			"a key of 514 bytes":          {check(strings.Repeat("é", 257)), "key"},
			"a key that is a number":      {check("k", "key", 7), "key"},
			"a cost of nothing":           {check("k", "cost", 0), "cost"},
			"a cost that never fits":      {check("k", "cost", 3), "cost"},
			"an unknown field":            {check("k", "name", "keys"), "name"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				at(t, s.do(t, "POST", "/v1/limits/check", s.merchant, c.body).refused(t, 422, tracking.CodeInvalid), c.location)
			})
		}
		at(t, s.do(t, "POST", "/v1/limits/check", s.merchant, check("a\x00b")).refused(t, 400, tracking.CodeMalformed), "key")
	})
}

func TestServer_limitDecisions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	from, to := time.Now().Add(-time.Minute).UTC(), time.Now().Add(time.Minute).UTC()
	path := "/v1/limits/decisions?from=" + from.Format(time.RFC3339) + "&to=" + to.Format(time.RFC3339)
	for n := range 5 {
		for range n + 1 {
			s.do(t, "POST", "/v1/limits/check", s.merchant, check(fmt.Sprint("key", n))).want(t, 200)
		}
	}
	s.do(t, "POST", "/v1/limits/check", other.merchant, check("key4")).want(t, 200)
	sums := func(t *testing.T, list []object) (sums map[string][2]float64) {
		t.Helper()
		sums = map[string][2]float64{}
		for _, o := range list {
			hash := o["key_hash"].(string)
			sums[hash] = [2]float64{sums[hash][0] + o["allowed"].(float64), sums[hash][1] + o["refused"].(float64)}
			if fmt.Sprint(o["policy"]) != fmt.Sprint(object{"kind": "fixed_window", "limit": 2.0, "period_s": 3600.0}) {
				t.Errorf("policy %v", o["policy"])
			}
		}
		return sums
	}
	var got map[string][2]float64
	eventually(t, "all decisions are counted", func() bool {
		got = sums(t, items(t, s.do(t, "GET", path, s.merchant, nil).want(t, 200)))
		total := 0.0
		for _, n := range got {
			total += n[0] + n[1]
		}
		return total == 15
	})
	for n := range 5 {
		hash := tracking.HashLimitKey(fmt.Sprint("key", n))
		if want := [2]float64{float64(min(n+1, 2)), float64(max(0, n-1))}; got[hex.EncodeToString(hash[:])] != want {
			t.Errorf("key%d: %v, want %v", n, got[hex.EncodeToString(hash[:])], want)
		}
	}
	t.Run("page by page they are the same", func(t *testing.T) {
		t.Parallel()
		var all []object
		cursor, pages := "", 0
		for {
			o := s.do(t, "GET", path+"&limit=2"+cursor, s.merchant, nil).want(t, 200)
			all = append(all, items(t, o)...)
			pages++
			if o["next_cursor"] == nil {
				break
			}
			cursor = "&cursor=" + o["next_cursor"].(string)
		}
		if pages < 3 || fmt.Sprint(sums(t, all)) != fmt.Sprint(got) {
			t.Errorf("%d pages: %v, want %v", pages, sums(t, all), got)
		}
	})
	t.Run("names the field that is wrong", func(t *testing.T) {
		t.Parallel()
		stamp := func(d time.Duration) string { return from.Add(d).Format(time.RFC3339) }
		for query, location := range map[string]string{
			"from=" + stamp(0):                                              "query.to",
			"to=" + stamp(0):                                                "query.from",
			"from=soon&to=" + stamp(0):                                      "query.from",
			"from=" + stamp(0) + "&to=" + stamp(0):                          "query.to",
			"from=" + stamp(0) + "&to=" + stamp(-time.Hour):                 "query.to",
			"from=" + stamp(0) + "&to=" + stamp(8*24*time.Hour):             "query.to",
			"from=" + stamp(0) + "&to=" + stamp(time.Hour) + "&limit=0":     "query.limit",
			"from=" + stamp(0) + "&to=" + stamp(time.Hour) + "&limit=1001":  "query.limit",
			"from=" + stamp(0) + "&to=" + stamp(time.Hour) + "&cursor=x":    "query.cursor",
			"from=" + stamp(0) + "&to=" + stamp(time.Hour) + "&cursor=____": "query.cursor",
		} {
			at(t, s.do(t, "GET", "/v1/limits/decisions?"+query, s.merchant, nil).refused(t, 422, tracking.CodeInvalid), location)
		}
	})
}
