package vitals

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// newWatch makes a Watch that is as patient as a busy machine needs.
func newWatch(client redis.UniversalClient) *Watch {
	return NewWatch(client, Config{Limit: time.Minute}, slog.New(slog.DiscardHandler))
}

// samples are what a scrape answers, by "name{label=value}", without the server.
func samples(t *testing.T, w *Watch) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w)
	families, err := registry.Gather()
	must(t, err)
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "hotfoot_redis_")
			for _, l := range m.GetLabel() {
				if l.GetName() != "server" {
					name += "{" + l.GetName() + "=" + l.GetValue() + "}"
				}
			}
			values[name] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}

// spin keeps Redis busy for some microseconds.
const spin = `
local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local ends = now() + ARGV[1]
while now() < ends do end
return 1`

func TestWatch(t *testing.T) {
	t.Parallel()
	t.Run("says what the server says", func(t *testing.T) {
		t.Parallel()
		client := storetest.Redis(t)
		w := newWatch(client)
		must(t, client.ConfigSet(t.Context(), "maxmemory", "8mb").Err())
		must(t, client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
		w.runOnce(t.Context())
		got := samples(t, w)
		for name, want := range map[string]float64{
			"memory_max_bytes": 8 << 20, "aof_enabled": 1, "aof_write_ok": 1, "aof_rewrite_ok": 1, "primary": 1, "replicas": 0, "evicted_keys_total": 0,
			"look_failures_total{question=info}": 0, "look_failures_total{question=memory}": 0, "slow_commands_total": 0,
		} {
			if value, ok := got[name]; !ok || value != want {
				t.Errorf("%s is %v, %v, want %v", name, value, ok, want)
			}
		}
		for _, name := range []string{"replica_link_up", "cluster_ok", "kind_bytes{kind=other}"} {
			if value, ok := got[name]; ok {
				t.Errorf("%s is %v, and should not be said", name, value)
			}
		}
		// More than there is room for, so that it throws keys away.
		must(t, client.Eval(t.Context(), `for i = 1, 100 do redis.call('SET', 'k' .. i, string.rep('x', 128 * 1024)) end return 1`, []string{"k"}).Err())
		w.runOnce(t.Context())
		if evicted := samples(t, w)["evicted_keys_total"]; evicted == 0 {
			t.Error("keys were thrown away, and it does not say so")
		}
	})
	t.Run("counts slow commands by name, and says nothing of what they were given", func(t *testing.T) {
		t.Parallel()
		client := storetest.Redis(t)
		w := newWatch(client)
		w.runOnce(t.Context())
		must(t, client.ConfigSet(t.Context(), "slowlog-log-slower-than", "0").Err())
		must(t, client.ConfigSet(t.Context(), "latency-monitor-threshold", "20").Err())
		must(t, client.Set(t.Context(), "a-secret-name", "a secret", 0).Err())
		must(t, client.Eval(t.Context(), spin, nil, 50_000).Err())
		must(t, client.ConfigSet(t.Context(), "slowlog-log-slower-than", "-1").Err())
		w.runOnce(t.Context())
		got := samples(t, w)
		// Both settings, SET, EVAL and the last setting are in the log, if not more.
		if got["slow_commands_total"] < 3 || got["slowest_command_seconds{command=eval}"] < 0.05 || got["latency_spike_seconds{event=command}"] < 0.05 {
			t.Errorf("%v commands, the slowest of %v s, a spike of %v s",
				got["slow_commands_total"], got["slowest_command_seconds{command=eval}"], got["latency_spike_seconds{event=command}"])
		}
		for name := range got {
			if strings.Contains(name, "secret") {
				t.Errorf("%s tells a secret", name)
			}
		}
	})
	t.Run("goes on when some questions are forbidden, and counts them", func(t *testing.T) {
		t.Parallel()
		client := storetest.Redis(t)
		must(t, client.Do(t.Context(), "ACL", "SETUSER", "default", "-slowlog", "-latency", "-memory").Err())
		w := newWatch(client)
		w.runOnce(t.Context())
		got := samples(t, w)
		for _, question := range []string{askSlowLog, askLatency, askMemory} {
			if n := got["look_failures_total{question="+question+"}"]; n != 1 {
				t.Errorf("%s failed %v times, want once", question, n)
			}
		}
		if got["memory_used_bytes"] == 0 {
			t.Error("what is allowed is not said")
		}
	})
	t.Run("a server that does not answer has no samples, and a look at it ends in time", func(t *testing.T) {
		t.Parallel()
		server, err := private.StartRedis(t.Context(), private.Config{Dir: storetest.Dir(t)})
		must(t, err)
		defer server.Kill()
		client, err := redisstore.Connect(server.URL())
		must(t, err)
		defer client.Close()
		w := NewWatch(client, Config{Limit: 300 * time.Millisecond}, slog.New(slog.DiscardHandler))
		w.runOnce(t.Context())
		server.Pause()
		defer server.Resume()
		began := time.Now()
		w.runOnce(t.Context())
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a look took %s", took)
		}
		got := samples(t, w)
		if value, ok := got["memory_used_bytes"]; ok || got["look_failures_total{question=info}"] == 0 {
			t.Errorf("it says %v, %v of a server that hangs, and %v failures", value, ok, got["look_failures_total{question=info}"])
		}
	})
}

func TestWatch_kinds(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	small, large := strings.Repeat("x", 100), strings.Repeat("x", 4000)
	pipe := client.Pipeline()
	for range 3000 {
		pipe.Set(t.Context(), key.Courier(tracking.NewID()), small, time.Hour)
	}
	for range 1000 {
		pipe.Set(t.Context(), key.Delivery(tracking.NewID()), large, time.Hour)
	}
	for i := range 400 {
		pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(i % 8), Values: []string{"b", large}})
	}
	pipe.Set(t.Context(), "somebody:elses", "", 0)
	_, err := pipe.Exec(t.Context())
	must(t, err)
	w := newWatch(client)
	for range drawsKept/drawsALook + 2 {
		w.runOnce(t.Context())
	}
	if kept := len(w.servers[client.Options().Addr].draws.kept); kept != drawsKept {
		t.Errorf("%d draws are kept, want %d", kept, drawsKept)
	}
	got := samples(t, w)
	one := func(id string) float64 {
		bytes, err := client.MemoryUsage(t.Context(), id).Result()
		must(t, err)
		return float64(bytes)
	}
	exact := 0.0
	for p := range 8 {
		exact += one(key.Positions(p))
	}
	probe := tracking.NewID()
	must(t, client.Set(t.Context(), key.Courier(probe), small, time.Hour).Err())
	must(t, client.Set(t.Context(), key.Delivery(probe), large, time.Hour).Err())
	// 2,048 draws of a kind with a quarter of the keys have a standard error of 4%: five of them are never seen.
	for name, want := range map[string]struct{ value, tolerance float64 }{
		"kind_keys{kind=courier}":    {3000, 0.2},
		"kind_keys{kind=delivery}":   {1000, 0.2},
		"kind_bytes{kind=courier}":   {3000 * one(key.Courier(probe)), 0.2},
		"kind_bytes{kind=delivery}":  {1000 * one(key.Delivery(probe)), 0.2},
		"kind_bytes{kind=positions}": {exact, 0},
	} {
		if off := math.Abs(got[name]/want.value - 1); off > want.tolerance || math.IsNaN(off) {
			t.Errorf("%s is %v, want %v within %v", name, got[name], want.value, want.tolerance)
		}
	}
	must(t, client.Eval(t.Context(), `return redis.call('FLUSHDB')`, nil).Err())
	w.runOnce(t.Context())
	for name, value := range samples(t, w) {
		if strings.HasPrefix(name, "kind_") {
			t.Errorf("an empty server has %s %v", name, value)
		}
	}
}

func TestWatch_cluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cluster, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t)}, 3)
	must(t, err)
	t.Cleanup(cluster.Kill)
	_, err = cluster.AddReplica(ctx, 0)
	must(t, err)
	client, err := redisstore.Connect(cluster.URL())
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	w := newWatch(client)
	for p := range key.Partitions {
		must(t, client.XAdd(ctx, &redis.XAddArgs{Stream: key.Positions(p), Values: []string{"b", "x"}}).Err())
	}
	// Added up over the four. What each of them knows of the others comes with time.
	want := map[string]float64{"primary": 3, "replicas": 1, "replica_link_up": 1, "cluster_ok": 4, "cluster_slots_served": 4 * 16384}
	var got map[string]float64
	for wrong := "everything"; wrong != ""; {
		if ctx.Err() != nil {
			t.Fatalf("it does not come to say what is: %s", wrong)
		}
		client.(*redis.ClusterClient).ReloadState(ctx)
		w.runOnce(ctx)
		got, wrong = samples(t, w), ""
		for name, value := range want {
			if got[name] != value {
				wrong = fmt.Sprintf("%s adds up to %v, want %v", name, got[name], value)
			}
		}
	}
	if n := got["kind_keys{kind=positions}"]; math.Abs(n-64) > 0.5 {
		t.Errorf("%v streams in all, want 64: a replica's keys are counted again, or a master's are not", n)
	}
	bytes := 0.0
	for p := range key.Partitions {
		n, err := client.MemoryUsage(ctx, key.Positions(p)).Result()
		must(t, err)
		bytes += float64(n)
	}
	if got["kind_bytes{kind=positions}"] != bytes {
		t.Errorf("the streams take %v bytes, want %v: they are measured where they are", got["kind_bytes{kind=positions}"], bytes)
	}
	if n := got["look_failures_total{question=memory}"]; n != 0 {
		t.Errorf("memory was asked for in vain %v times: a replica redirects", n)
	}
	lag := 0
	for name := range got {
		if strings.HasPrefix(name, "replica_lag_bytes{replica=127.0.0.1:") {
			lag++
		}
	}
	if lag != 1 {
		t.Errorf("%d replicas have a lag, want 1", lag)
	}
}

// A look is a bounded number of commands and of round trips, whatever the server holds.
func TestBudget_look(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	must(t, client.Eval(t.Context(), `for i = 1, 20000 do redis.call('SET', 'k' .. i, i) end return 1`, []string{"k"}).Err())
	w := newWatch(client)
	w.runOnce(t.Context())
	took := func() (commands, micros float64) {
		info := Decode(client.Info(t.Context(), "commandstats").Val())
		for name, value := range info {
			said := pairs(value)
			calls, _ := said.Number("calls")
			usec, _ := said.Number("usec")
			commands, micros = commands+calls, micros+usec
			if calls > 0 && (strings.Contains(name, "keys") || strings.Contains(name, "scan") || strings.Contains(name, "flush")) {
				t.Errorf("%s was run", name)
			}
		}
		return commands, micros
	}
	before, busy := took()
	const looks = 20
	for range looks {
		w.runOnce(t.Context())
	}
	after, busier := took()
	commands, micros := (after-before-1)/looks, (busier-busy)/looks
	t.Logf("a look is %.0f commands and %.0f µs of Redis' time", commands, micros)
	if want := 3.0 + 2*drawsALook + key.Partitions; commands > want {
		t.Errorf("a look is %v commands, want at most %v", commands, want)
	}
}
