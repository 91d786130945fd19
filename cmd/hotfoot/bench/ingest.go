//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/report"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/pubsub"
	"hotfoot/store/redisstore"
	"hotfoot/tracking/key"
)

// perConnection is how many couriers one connection reports for, in turn: as many as make their records in the stores be found and not just repeated.
const perConnection = 8

// Ingest measures what it costs to take positions in.
func (b *Bench) Ingest(ctx context.Context) error {
	r, err := b.deployment(ctx)
	if err != nil {
		return err
	}
	client, err := redisstore.Connect(r.RedisURL())
	if err != nil {
		return err
	}
	defer client.Close()
	table := b.Report.New("ingest", fmt.Sprintf("reports over %d kept-alive connections for %d couriers, each as fast as answers come; CPU of each kind of process for an update. "+
		"In the stream: an api alone, no worker. Over sockets: the same from as many couriers, each over their app's WebSocket and with a receipt for each report. "+
		"Stored: until all rows are in Postgres, api and worker apart. wait=5: the answer comes once the rows are committed",
		b.Sizes.Connections, b.Sizes.Connections*perConnection))
	for _, count := range b.Sizes.Batches {
		for _, kind := range []intakeKind{inStream, overSockets, stored, awaited} {
			systems := rig.Systems[2:]
			if kind == stored {
				systems = rig.Systems[1:] // the first version answers when the row is stored, and that is all it can do
			}
			what := fmt.Sprintf("%d a report, %s", count, kind)
			err := b.repeats(ctx, table, what, systems, func(system rig.System) ([]report.Reading, error) {
				return b.ingest(ctx, r, client, system, kind, count)
			})
			if err != nil {
				return err
			}
		}
	}
	return b.history(ctx, r, client)
}

// intakeKind is how far positions are followed.
type intakeKind string

const (
	inStream    intakeKind = "in the stream"
	overSockets intakeKind = "in the stream, over sockets"
	stored      intakeKind = "stored"
	awaited     intakeKind = "wait=5"
)

// unstored reports whether nobody takes positions from the stream.
func (k intakeKind) unstored() bool { return k == inStream || k == overSockets }

func (b *Bench) ingest(ctx context.Context, r *rig.Rig, client redis.UniversalClient, system rig.System, kind intakeKind, count int) ([]report.Reading, error) {
	e, stop, err := b.intake(ctx, r, system, kind)
	if err != nil {
		return nil, err
	}
	defer stop()
	couriers := min(perConnection, len(r.Fleet)/b.Sizes.Connections)
	load := post.Load{
		Addresses: []string{e.address}, Connections: b.Sizes.Connections,
		Request: func(b []byte, connection, n int, now time.Time) []byte {
			return e.reports(b, connection*couriers+n%couriers, n*count, count, now)
		},
	}
	if kind == overSockets {
		load.Open = func(connection int) []byte { return e.handshake(connection) }
		load.Request = func(b []byte, connection, n int, now time.Time) []byte {
			return post.AppendMessage(b, reportOf(n*count, count, now))
		}
	}
	send := func(lasting time.Duration) (post.Result, error) {
		load.For = lasting
		return load.Run(ctx)
	}
	if _, err := send(b.Sizes.WarmUp); err != nil {
		return nil, err
	}
	if system == rig.Hotfoot && !kind.unstored() {
		if err := awaitStored(ctx, client); err != nil {
			return nil, err
		}
	}
	m := meterOf(e.parts)
	profiled := b.profile(ctx, r, b.Sizes.IngestFor)
	result, err := send(b.Sizes.IngestFor)
	if err = errors.Join(err, profiled()); err != nil {
		return nil, err
	}
	if system == rig.Hotfoot && !kind.unstored() {
		if err := awaitStored(ctx, client); err != nil {
			return nil, err
		}
	}
	updates := float64(result.Requests * count)
	readings := append([]report.Reading{
		{Name: "updates", Unit: "1/s", Value: updates / result.Took.Seconds()},
		{Name: "answer p50", Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.50))},
		{Name: "answer p99", Unit: "ms", Value: milliseconds(result.Latency.Quantile(0.99))},
	}, m.spent(updates, "", "µs")...)
	sum := report.Reading{Name: "all CPU", Unit: "µs"}
	for _, part := range readings[3:] {
		sum.Value += part.Value
	}
	if kind.unstored() {
		err = empty(ctx, client)
	}
	return append(readings, sum), err
}

// intake starts what takes reports. The caller must call stop.
func (b *Bench) intake(ctx context.Context, r *rig.Rig, system rig.System, kind intakeKind) (e *entry, stop func(), err error) {
	e = &entry{rig: r, system: system}
	if system == rig.FirstVersion {
		server, err := r.Start(ctx, system)
		if err != nil {
			return nil, nil, err
		}
		e.address = server.Address
		e.parts = func() []rig.Part { return []rig.Part{server.Part("api"), r.Redis(), r.Postgres()} }
		return e, server.Stop, nil
	}
	roles := "api"
	if kind == overSockets {
		roles = "api,gateway"
	}
	api, err := r.Serve(ctx, roles)
	if err != nil {
		return nil, nil, err
	}
	e.address = api.Address
	e.parts = func() []rig.Part { return []rig.Part{api.Part("api"), r.Redis(), r.Postgres()} }
	if kind.unstored() {
		return e, api.Stop, nil
	}
	if kind == awaited {
		e.prefer = "wait=5"
	}
	worker, err := r.Serve(ctx, "worker")
	if err != nil {
		api.Stop()
		return nil, nil, err
	}
	e.parts = func() []rig.Part { return []rig.Part{api.Part("api"), worker.Part("worker"), r.Redis(), r.Postgres()} }
	return e, func() { api.Stop(); worker.Stop() }, nil
}

// awaitStored waits until everything accepted is in Postgres.
func awaitStored(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, fmt.Errorf("what was accepted did not get into Postgres within two minutes"))
	defer cancel()
	for {
		waiting, err := pubsub.Waiting(ctx, client)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// empty throws away what waits for Postgres, where no worker took it.
func empty(ctx context.Context, client redis.UniversalClient) error {
	pipe := client.Pipeline()
	for p := range key.Partitions {
		pipe.Del(ctx, key.Positions(p), key.BacklogBytes(p))
	}
	_, err := pipe.Exec(ctx)
	return err
}
