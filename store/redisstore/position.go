package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

var _ tracking.Hot = (*Store)(nil)

//go:embed position.lua
var positionLua string

// A batch for the backlog is refused by a full server. One that is stored elsewhere adds nothing to it that lasts, and viewers must be told.
var (
	positionScript     = redis.NewScript(positionLua)
	positionOnlyScript = redis.NewScript("#!lua flags=allow-oom\n" + positionLua)
)

// Place implements tracking.Hot.
func (s *Store) Place(ctx context.Context, p tracking.Placement) (tracking.Placed, error) {
	courier, merchant := p.Batch.CourierID, p.MerchantID
	partition := key.Partition(courier)
	keys := []string{
		key.Courier(courier), key.Positions(partition), key.Geo(partition, merchant), key.Session(courier, p.Batch.Session), key.BacklogBytes(partition),
	}
	var fix, batch []byte
	if p.Newest != nil {
		fix = wire.AppendPosition(nil, *p.Newest)
	}
	script := positionOnlyScript
	if p.Keep {
		script, batch = positionScript, wire.AppendBatch(nil, p.Batch)
	}
	args := []any{
		fix, batch, seqRuns(p.Batch), key.Courier(courier), key.Fleet(partition, merchant), wire.FleetPositionPrefix(courier), courier.String(),
		s.epoch.Load(), max(1, s.config.BacklogBytes/key.Partitions), time.Now().Add(-s.config.BacklogAge).UnixMilli(), ttl(),
		s.runsNow()[partition],
	}
	run := &args[len(args)-1]

	// What is not hot is loaded and the script asked again. Two loads can be needed, the courier's and the session's. With the truth away, what is left
	// of another run must do.
	var loaded any
	for range 4 {
		answer, err := script.Run(ctx, s.client, keys, args...).Slice()
		if err != nil {
			return tracking.Placed{}, unavailable(err)
		}
		switch answer[0] {
		case "ok":
			return s.readPlaced(p.Batch, answer)
		case "off_shift":
			return tracking.Placed{}, tracking.OffShift()
		case "full":
			return tracking.Placed{}, backlogFull("too many positions are waiting to be stored; keep yours and try again", 10*time.Second)
		case "old":
			return tracking.Placed{}, backlogFull("positions have been waiting to be stored for too long; keep yours and try again later", 30*time.Second)
		case "courier":
			err = s.loadCourier(ctx, merchant, courier)
		case "session":
			err = s.loadSession(ctx, courier, p.Batch.Session)
		}
		switch {
		case *run != "" && (answer[0] == loaded || tracking.CodeOf(err) == tracking.CodeUnavailable):
			*run = ""
		case err != nil:
			return tracking.Placed{}, err
		}
		loaded = answer[0]
	}
	return tracking.Placed{}, unavailable(fmt.Errorf("courier %s does not stay in Redis", courier))
}

func backlogFull(message string, retryAfter time.Duration) error {
	return &tracking.Error{Code: tracking.CodeOverloaded, Message: message, RetryAfter: retryAfter}
}

func (s *Store) readPlaced(batch tracking.Batch, answer []any) (tracking.Placed, error) {
	placed := tracking.Placed{Live: answer[1].(int64) == 1, Watched: answer[3].(int64) > 0, Known: parseRuns(answer[4].(string))}
	if since := answer[2].(int64); since > 0 {
		placed.LiveSince = time.UnixMilli(since).UTC()
	}
	durable, err := strconv.ParseInt(answer[5].(string), 10, 64)
	placed.Durable = max(durable, s.owed.durable(batch.CourierID, batch.Session))
	return placed, err
}
