package pubsub

import (
	"context"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/chaos/proxy"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func TestBacklog_sizes(t *testing.T) {
	t.Parallel()
	const limit = 500
	// step is one read, acknowledged.
	step := func(t *testing.T, b *Backlog) []tracking.Entry {
		t.Helper()
		entries, err := b.Read(t.Context(), limit)
		must(t, err)
		if len(entries) > 2*limit {
			t.Errorf("a read brought %d entries, want about %d at most", len(entries), 2*limit)
		}
		must(t, b.Ack(t.Context(), entries))
		return entries
	}
	t.Run("a backlog in one partition is read in large steps, and the others are not forgotten", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		empty(t, b)
		const deep = 5000
		putIn(t, client, 3, newIDs(deep)...)
		steps, drained, others := 0, 0, 0
		for drained < deep+others {
			for p := range key.Partitions {
				if p != 3 && drained < deep {
					putIn(t, client, p, tracking.NewID())
					others++
				}
			}
			drained += len(step(t, b))
			steps++
			waiting, err := Waiting(t.Context(), client)
			must(t, err)
			if mine := client.XLen(t.Context(), key.Positions(3)).Val(); waiting != mine {
				t.Fatalf("%d entries of other partitions wait behind the backlog", waiting-mine)
			}
		}
		// Ten full steps, and some to find out.
		if steps > deep/limit+5 {
			t.Errorf("it took %d steps for %d entries", steps, drained)
		}
		empty(t, b)
		settled(t, client)
	})
	t.Run("a backlog everywhere is shared out", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		empty(t, b)
		const each = 40
		for p := range key.Partitions {
			putIn(t, client, p, newIDs(each)...)
		}
		steps := 0
		for drained := 0; drained < each*key.Partitions; steps++ {
			drained += len(step(t, b))
		}
		if want := each * key.Partitions / (limit / 2); steps > want {
			t.Errorf("it took %d steps, want %d at most", steps, want)
		}
		settled(t, client)
	})
	t.Run("large entries are read in fewer at a time", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		large := wire.AppendBatch(nil, tracking.Batch{CourierID: tracking.NewID(), Fixes: make([]tracking.Fix, 500)})
		const n = 300
		for p := range 4 {
			pipe := client.Pipeline()
			for range n / 4 {
				pipe.XAdd(t.Context(), &redis.XAddArgs{Stream: key.Positions(p), Values: []any{"b", large}})
			}
			_, err := pipe.Exec(t.Context())
			must(t, err)
		}
		most := 0
		for drained := 0; drained < n; {
			entries := step(t, b)
			drained += len(entries)
			most = max(most, len(entries)*len(large))
		}
		// The share of the limit that is for all partitions is at least one of each.
		if most > 2*readBytes || most < readBytes/2 {
			t.Errorf("the largest read brought %d bytes, want about %d", most, readBytes)
		}
		settled(t, client)
	})
	t.Run("what was too much is asked for in the smallest pieces", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		b := newBacklog(client, "w1")
		putIn(t, client, 3, newIDs(50)...)
		drain(t, b, 1)
		hook := &loseReply{}
		client.AddHook(hook)
		hook.next.Store(true)
		if _, err := b.Read(t.Context(), limit); tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("got %v, want unavailable", err)
		}
		if entries := drain(t, b, 1); len(entries) != 1 {
			t.Errorf("after a failure a read brought %d entries of one partition, want 1", len(entries))
		}
		drain(t, b, 48)
		settled(t, client)
	})
}

// When some partitions cannot be read, the others go on.
func TestBacklog_parted(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	b := newBacklog(client, "w1")
	putIn(t, client, 3, newIDs(5000)...)
	said := newJournal()
	b.log = said.logger()
	for range 5 {
		drain(t, b, 1) // until the third partition is asked on its own
	}
	client.AddHook(brokenPartitions{})
	other := tracking.NewID()
	putIn(t, client, 8, other)
	for range 2 {
		for _, e := range drain(t, b, 1) {
			if e.Batch.CourierID == other {
				t.Fatal("the hook does not work")
			}
		}
	}
	if n := strings.Count(said.String(), "a part of the backlog cannot be read"); n != 1 {
		t.Errorf("it said %d times: %s", n, said)
	}
}

// brokenPartitions has every request fail that is not for one partition alone.
type brokenPartitions struct{}

func (brokenPartitions) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (brokenPartitions) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (brokenPartitions) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			if cmd.Name() == "xreadgroup" && len(cmd.Args()) > 12 {
				cmd.SetErr(io.EOF)
			}
		}
		return err
	}
}

// through puts a proxy between a client and the server.
func through(t *testing.T, serverURL string) (*proxy.Proxy, redis.UniversalClient) {
	t.Helper()
	server, err := url.Parse(serverURL)
	must(t, err)
	p, err := proxy.Listen(proxy.Address{Network: "unix", Name: filepath.Join(storetest.Dir(t), "proxy.sock")}, proxy.Address{Network: "unix", Name: server.Path})
	must(t, err)
	client := connect(t, "unix://"+p.Address().Name)
	t.Cleanup(func() {
		_ = client.Close()
		must(t, p.Close())
	})
	return p, client
}

// A connection may break anywhere in a reply.
func TestBacklog_cutReply(t *testing.T) {
	t.Parallel()
	serverURL := storetest.RedisURL(t)
	direct := connect(t, serverURL)
	p, client := through(t, serverURL)
	b := newBacklog(client, "w1")
	empty(t, b)
	const n = 200
	for range n {
		put(t, direct)
	}
	got := map[string]bool{}
	for cut := int64(0); len(got) < n; cut = cut*3/2 + 7 {
		p.LimitData(cut)
		entries, err := b.Read(t.Context(), 64)
		p.Heal()
		if err != nil {
			continue
		}
		for _, e := range entries {
			if got[e.Handle] || e.Unreadable != nil {
				t.Errorf("%s came twice, or broken: %v", e.Handle, e.Unreadable)
			}
			got[e.Handle] = true
		}
		must(t, b.Ack(t.Context(), entries))
	}
	settled(t, direct)
}

// A server that takes everything and answers nothing is waited for, but not for ever.
func TestBacklog_stalled(t *testing.T) {
	t.Parallel()
	p, client := through(t, storetest.RedisURL(t))
	b := newBacklog(client, "w1")
	empty(t, b)
	b.answerFor = time.Second
	p.Stall(proxy.Both)
	began := time.Now()
	if _, err := b.Read(t.Context(), 64); tracking.CodeOf(err) != tracking.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it waited %v", took)
	}
	p.Heal()
	put(t, client)
	drain(t, b, 1)
}
