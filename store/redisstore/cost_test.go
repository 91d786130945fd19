package redisstore_test

import (
	"fmt"
	"strings"
	"testing"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// What a report may cost Redis, which has one thread for all of them: the commands that it executes, scripts' own included. When this fails, something on
// every report's way has become dearer: make it cheaper again, or, if it is worth that, raise the bound in the same change and say why.
func TestStore_Place_cost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		points  int
		counted bool
		want    string
	}{
		{"one point", 1, false, "evalsha 1 hmget 1 hset 1 incrby 1 publish 2 xadd 1"},
		{"one point of a session", 1, true, "evalsha 1 hmget 2 hset 2 incrby 1 publish 2 xadd 1"},
		{"ten points of a session", 10, true, "evalsha 1 hmget 2 hset 2 incrby 1 publish 2 xadd 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHot(t)
			courier, at := h.courier(), 0
			report := func() {
				at += c.points
				p := placement(courier, fix(float64(at)))
				p.Batch.Fixes = p.Batch.Fixes[:0]
				for i := at - c.points + 1; i <= at; i++ {
					f := tracking.Fix{Position: *fix(float64(i))}
					if c.counted {
						f.Seq = int64(i)
					}
					p.Batch.Fixes = append(p.Batch.Fixes, f)
				}
				_, err := h.Place(t.Context(), p)
				must(t, err)
			}
			report() // what is loaded once, and told to live for a day
			must(t, h.client.ConfigResetStat(t.Context()).Err())
			const reports = 20
			for range reports {
				report()
			}
			if got := commands(t, h, reports); got != c.want {
				t.Errorf("a report costs %s\nwant             %s", got, c.want)
			}
		})
	}
}

// What telling of a change costs, and an answer that is kept: one round trip each, whatever the number of commands in its scripts.
func TestAside_cost(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.RedisURL(t), unwatched)
	q, w := about(strict), &well{}
	r := record(1)
	r.Merchant.ID, r.Delivery.MerchantID = q.Segment, q.Segment
	r.Courier.ID, r.Delivery.CourierID, r.Delivery.Status = tracking.NewID(), tracking.NewID(), tracking.Assigned
	cost := func(what, want string, run func()) {
		t.Helper()
		run() // what is loaded once
		must(t, d.client.ConfigResetStat(t.Context()).Err())
		const times = 10
		for range times {
			run()
		}
		if got := commands(t, d.hot, times); got != want {
			t.Errorf("%s costs %s\nwant %s", what, got, want)
		}
	}
	announce := func() {
		r.Delivery.Rev++
		must(t, d.Announce(t.Context(), r))
	}
	cost("a change of what nobody asks about", "evalsha 3 exists 2 expire 1 hmget 1 hset 1 publish 5", announce)
	d.ask(t, q, w)
	cost("a change of what somebody asks about", "evalsha 3 exists 2 expire 1 hmget 1 hset 1 incr 1 publish 5", announce)
	d.ask(t, q, w)
	cost("an answer that is kept", "evalsha 1 get 1 hget 1 hmget 1 time 1", func() { d.want(t, q, w, 0, tracking.FromHot) })
}

// commands are those that the server has executed since its counts were reset, of which each report had an equal share.
func commands(t *testing.T, h hot, reports int) string {
	t.Helper()
	var out []string
	for _, name := range []string{"decrby", "eval", "evalsha", "exists", "expire", "geoadd", "get", "hget", "hmget", "hset", "incr", "incrby", "publish", "spublish", "time", "xadd", "xlen", "xrange"} {
		// As in: cmdstat_evalsha:calls=1,usec=13,usec_per_call=13.00,…
		_, stats, ok := strings.Cut(h.client.Info(t.Context(), "commandstats").Val(), "cmdstat_"+name+":calls=")
		var calls int
		if ok {
			_, err := fmt.Sscanf(stats, "%d", &calls)
			must(t, err)
			out = append(out, fmt.Sprintf("%s %.4g", name, float64(calls)/float64(reports)))
		}
	}
	return strings.Join(out, " ")
}
