package vitals

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// The questions of a look, each of which may fail alone: a server may forbid some of them.
const (
	askServers = "servers"
	askInfo    = "info"
	askSlowLog = "slowlog"
	askLatency = "latency"
	askCluster = "cluster"
	askMemory  = "memory"
)

var questions = []string{askServers, askInfo, askSlowLog, askLatency, askCluster, askMemory}

// sight is what a look has seen, and does not change any more; nil where the server did not say.
type sight struct {
	info    Info
	cluster Info
	kinds   map[string]Kind
	slow    *slowSight
	spikes  map[string]time.Duration
}

// slowSight is what became of the slow log until a look.
type slowSight struct {
	total float64
	worst slow
}

// server is what looks at one server remember of earlier ones.
type server struct {
	slowLog slowLog
	spikes  spikes
	draws   draws
}

// look asks one server everything. partitions are those in its memory; fail hears which questions had no answer.
func (s *server) look(ctx context.Context, client *redis.Client, partitions []int, fail func(question string, err error)) (seen sight) {
	pipe := client.Pipeline()
	text, slow, latest := pipe.Info(ctx), pipe.SlowLogGet(ctx, slowEntries), pipe.Latency(ctx)
	_, _ = pipe.Exec(ctx) // each has an error of its own
	if err := text.Err(); err != nil {
		fail(askInfo, err)
		return seen
	}
	seen.info = Decode(text.Val())
	if err := slow.Err(); failed(err) {
		fail(askSlowLog, err)
	} else {
		s.slowLog.see(slow.Val())
		seen.slow = &slowSight{s.slowLog.total, s.slowLog.worst}
	}
	if err := latest.Err(); failed(err) {
		fail(askLatency, err)
	} else {
		s.spikes.see(latest.Val())
		seen.spikes = s.spikes.recent
	}
	if seen.info.Clustered() {
		if text, err := client.ClusterInfo(ctx).Result(); err != nil {
			fail(askCluster, err)
		} else {
			seen.cluster = Decode(text)
		}
	}
	if !seen.info.Primary() {
		return seen // it holds what its primary holds
	}
	if err := s.draws.take(ctx, client, partitions); err != nil {
		fail(askMemory, err)
		return seen
	}
	seen.kinds = s.draws.kinds(seen.info.Keys(client.Options().DB))
	return seen
}
