package redisstore_test

import (
	"bufio"
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

// dump is everything that Redis holds, but for what is left of each life.
func dump(t *testing.T, client redis.UniversalClient) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range keys(t, client) {
		b, err := client.Dump(t.Context(), name).Result()
		must(t, err)
		all[name] = b
	}
	return all
}

func keys(t *testing.T, client redis.UniversalClient) []string {
	t.Helper()
	var names []string
	walk := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	for walk.Next(t.Context()) {
		names = append(names, walk.Val())
	}
	must(t, walk.Err())
	return names
}

// monitor notes every command that Redis runs until stop, which answers them.
func (h hot) monitor(t *testing.T) (stop func() []string) {
	t.Helper()
	options := h.client.(*redis.Client).Options()
	conn, err := net.Dial(options.Network, options.Addr)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = conn.Write([]byte("MONITOR\r\n"))
	must(t, err)
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || lines.Text() != "+OK" {
		t.Fatalf("MONITOR: %s %v", lines.Text(), lines.Err())
	}
	return func() (commands []string) {
		t.Helper()
		const end = "end of monitoring"
		must(t, h.client.Echo(t.Context(), end).Err())
		for lines.Scan() {
			if strings.Contains(lines.Text(), end) {
				return commands
			}
			commands = append(commands, lines.Text())
		}
		t.Fatal(lines.Err())
		return nil
	}
}

// A server that restarted, or whose scripts were flushed, knows none of ours.
func TestStore_scripts_come_back(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	c, r := h.courier(), record(1)
	for rev := range int64(3) {
		must(t, h.client.ScriptFlush(t.Context()).Err())
		_, err := h.Place(t.Context(), placement(c, fix(float64(rev)), rev+1))
		must(t, err)
		must(t, h.client.ScriptFlush(t.Context()).Err())
		direct := placement(c, fix(float64(rev)+0.5), rev+1)
		direct.Keep = false
		_, err = h.Place(t.Context(), direct)
		must(t, err)
		must(t, h.client.ScriptFlush(t.Context()).Err())
		r.Delivery.Rev = rev + 1
		other := record(1)
		must(t, h.Announce(t.Context(), r, other))
		must(t, h.client.ScriptFlush(t.Context()).Err())
		must(t, h.MarkDurable(t.Context(), []tracking.Mark{{CourierID: c.ID, Session: "s", DurableSeq: rev + 1}}))
		must(t, h.client.ScriptFlush(t.Context()).Err())
		must(t, h.KeepCourier(t.Context(), c))
		if revs, err := h.Revs(t.Context(), []tracking.ID{r.Delivery.ID, other.Delivery.ID, tracking.NewID()}); err != nil || revs[0] != r.Revision() || revs[1] != other.Revision() || revs[2] != (tracking.Revision{}) {
			t.Errorf("the revisions are %v, %v", revs, err)
		}
	}
	if n := h.waiting(t, c.ID); n != 3 {
		t.Errorf("%d batches wait, want 3: a script that was loaded anew ran twice or not at all", n)
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://localhost", "redis://localhost:x", "redis://a:1,nonsense"} {
		if _, err := redisstore.Connect(url); err == nil || !strings.Contains(err.Error(), "REDIS_URL") {
			t.Errorf("%q: %v, want an error that names REDIS_URL", url, err)
		}
	}
	cluster, err := redisstore.Connect("redis://127.0.0.1:1,redis://127.0.0.1:2")
	must(t, err)
	defer cluster.Close()
	if _, ok := cluster.(*redis.ClusterClient); !ok {
		t.Errorf("several addresses make %T, want a cluster's client", cluster)
	}
}

func cancellable(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	must(t, err)
	return n
}
