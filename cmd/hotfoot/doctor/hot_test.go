package doctor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
	"hotfoot/store/storetest"
	"hotfoot/tracking/key"
)

func TestExamine_redis(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	client := connect(t, p.RedisURL)
	set := func(t *testing.T, name, value string) {
		t.Helper()
		before := client.ConfigGet(t.Context(), name).Val()[name]
		must(t, client.ConfigSet(t.Context(), name, value).Err())
		t.Cleanup(func() { must(t, client.ConfigSet(context.WithoutCancel(t.Context()), name, before).Err()) })
	}
	for _, c := range []struct {
		setting, value string
		check          string
		level          Level
		says           string
	}{
		{"maxmemory-policy", "allkeys-lru", "redis settings", Bad, "CONFIG SET maxmemory-policy noeviction"},
		{"appendonly", "no", "redis settings", Bad, "CONFIG SET appendonly yes"},
		{"appendfsync", "no", "redis file", Warn, "CONFIG SET appendfsync everysec"},
		{"maxmemory", "0", "redis memory", Warn, "CONFIG SET maxmemory"},
		{"maxmemory", "1mb", "redis memory", Bad, "raise maxmemory"},
		{"maxmemory", "50mb", "redis memory", Warn, "CONFIG SET maxmemory 192mb"},
		{"maxmemory", "100gb", "redis memory", Warn, "nothing is left"},
		{"client-output-buffer-limit", "pubsub 33554432 8388608 60", "redis buffers", Warn, "8.0 MB behind"},
	} {
		t.Run(c.setting+" "+c.value, func(t *testing.T) {
			set(t, c.setting, c.value)
			expect(t, Examine(t.Context(), p), c.check, c.level, c.says)
		})
	}
	t.Run("all is well", func(t *testing.T) {
		set(t, "maxmemory", "200mb")
		set(t, "client-output-buffer-limit", "pubsub 128mb 32mb 30")
		findings := Examine(t.Context(), p)
		for _, check := range []string{
			"redis", "redis settings", "redis memory", "redis file", "redis buffers", "redis connections", "redis replication", "clock of Redis", "backlog",
		} {
			expect(t, findings, check, OK)
		}
		if Count(findings, Bad) > 0 {
			t.Errorf("something is bad:\n%s", text(findings))
		}
	})
	t.Run("evicted keys, a server that forbids to be asked, a replica", func(t *testing.T) {
		p := healthy(t)
		client := connect(t, p.RedisURL)
		must(t, client.ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err())
		must(t, client.ConfigSet(t.Context(), "maxmemory", "8mb").Err())
		must(t, client.Eval(t.Context(), `for i = 1, 40 do redis.call('SET', 'k' .. i, string.rep('x', 512 * 1024), 'EX', 1000) end return 1`, []string{"k"}).Err())
		must(t, client.Do(t.Context(), "ACL", "SETUSER", "default", "-config").Err())
		findings := Examine(t.Context(), p)
		expect(t, findings, "redis memory", Warn, "keys were thrown away")
		expect(t, findings, "redis settings", Warn, "HOTFOOT_ALLOW_UNSAFE_STORES")
		must(t, client.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err())
		expect(t, Examine(t.Context(), p), "redis replication", Bad, "does not hear its primary")
	})
}

func TestExamine_workers(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	client := connect(t, p.RedisURL)
	expect(t, Examine(t.Context(), p), "workers", Warn, "there is none", "role worker")
	// An id says when an entry came: this one long ago.
	must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(7), ID: "0-1", Values: []string{"b", "x"}}).Err())
	findings := Examine(t.Context(), p)
	expect(t, findings, "workers", Bad, "1 batches of positions wait")
	expect(t, findings, "backlog", Bad, "1 batches wait")
	must(t, client.XGroupCreate(t.Context(), key.Positions(7), "history", "0").Err())
	must(t, client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: "history", Consumer: "w", Streams: []string{key.Positions(7), ">"}}).Err())
	findings = Examine(t.Context(), p)
	expect(t, findings, "workers", OK, "1 members")
	must(t, client.XAck(t.Context(), key.Positions(7), "history", "0-1").Err())
	must(t, client.XDel(t.Context(), key.Positions(7), "0-1").Err())
	expect(t, Examine(t.Context(), p), "backlog", OK, "0 batches wait")
}

func TestExamine_cluster(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cluster, err := private.StartCluster(ctx, private.Config{Dir: storetest.Dir(t), Arguments: []string{"--maxmemory", "200mb"}}, 3)
	must(t, err)
	t.Cleanup(cluster.Kill)
	p := healthy(t)
	p.RedisURL = cluster.URL()
	findings := Examine(ctx, p)
	expect(t, findings, "redis slots", OK, "3 masters")
	expect(t, findings, "redis replication", Warn, "no replica follows it")
	for i := range 3 {
		said := 0
		for _, f := range findings {
			if f.Server == cluster.Addr(i) {
				said++
			}
		}
		if said == 0 {
			t.Errorf("nothing is said of %s", cluster.Addr(i))
		}
	}
	must(t, connect(t, "redis://"+cluster.Addr(0)).ClusterDelSlots(ctx, 5).Err())
	expect(t, Examine(ctx, p), "redis slots", Bad, "16383 of 16384")
}

// An examination changes nothing in Redis, and runs nothing that lists keys.
func TestExamine_changes_nothing_in_Redis(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	client := connect(t, p.RedisURL)
	must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(1), Values: []string{"b", "x"}}).Err())
	must(t, client.XGroupCreate(t.Context(), key.Positions(1), "history", "0").Err())
	must(t, client.ConfigResetStat(t.Context()).Err())
	Examine(t.Context(), p)
	stats, err := client.Info(t.Context(), "commandstats").Result()
	must(t, err)
	allowed := "ping info config hello client xlen xrange xinfo time command"
	ran := 0
	for line := range strings.Lines(stats) {
		name, is := strings.CutPrefix(line, "cmdstat_")
		name, _, _ = strings.Cut(name, ":")
		word, sub, _ := strings.Cut(name, "|")
		if !is {
			continue
		}
		ran++
		if !strings.Contains(allowed, word) || word == "config" && sub != "get" && sub != "resetstat" {
			t.Errorf("it runs %s", name)
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands were seen:\n%s", ran, stats)
	}
}

func TestExamine_away(t *testing.T) {
	t.Parallel()
	p := healthy(t)
	server, err := private.StartRedis(t.Context(), private.Config{Dir: storetest.Dir(t)})
	must(t, err)
	defer server.Kill()
	p.RedisURL = server.URL()
	server.Pause()
	defer server.Resume()
	began := time.Now()
	findings := Examine(t.Context(), p)
	expect(t, findings, "redis", Bad, "does not answer")
	expect(t, findings, "schema", OK)
	if took := time.Since(began); took > 2*partLimit {
		t.Errorf("it took %s", took)
	}
	truth, err := private.StartPostgres(t.Context(), private.Config{Dir: storetest.Dir(t)})
	must(t, err)
	defer truth.Kill()
	truth.Pause()
	defer truth.Resume()
	p.DatabaseURL = truth.URL()
	began = time.Now()
	findings = Examine(t.Context(), p)
	expect(t, findings, "postgres", Bad, "does not answer")
	expect(t, findings, "redis", Bad, "does not answer")
	if took := time.Since(began); took > 3*partLimit {
		t.Errorf("with both away it took %s", took)
	}
	p.RedisURL, p.DatabaseURL = "redis://127.0.0.1:1", "postgres://127.0.0.1:1/none"
	findings = Examine(t.Context(), p)
	expect(t, findings, "redis", Bad, "does not answer")
	expect(t, findings, "postgres", Bad, "does not answer")
	p.RedisURL, p.DatabaseURL = "", ""
	findings = Examine(t.Context(), p)
	expect(t, findings, "redis", Bad, "REDIS_URL")
	expect(t, findings, "postgres", Bad, "DATABASE_URL")
}
