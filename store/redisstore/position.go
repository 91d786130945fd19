package redisstore

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
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
	// Before anything is asked: a mark was earned under this epoch or an earlier one.
	epoch := s.epoch.Load()
	answer, lookedUp, err := s.place(ctx, epoch, p)
	if err != nil {
		return tracking.Placed{}, err
	}
	placed, err := readPlaced(answer, len(p.Batch.Fixes))
	placed.Durable = max(placed.Durable, s.owed.durable(p.Batch.CourierID, p.Batch.Session))
	if lookedUp && p.Committed != nil {
		// The truth was asked when it had this very batch, which is no duplicate of itself.
		placed.Known, placed.Durable = nil, 0
	}
	return placed, err
}

// place answers what the script does once nothing is missing. What is not hot is loaded and the script asked again. Two loads can be needed, the
// courier's and the session's; lookedUp says that the latter was. With the truth away, what is left of another run must do.
func (s *Store) place(ctx context.Context, epoch int64, p tracking.Placement) (answer string, lookedUp bool, err error) {
	partition := key.Partition(p.Batch.CourierID)
	f, ours := newForm(), true
	defer func() {
		if ours {
			f.free()
		}
	}()
	f.fill(p, partition, max(1, s.config.BacklogBytes/key.Partitions))
	f.epoch, f.run, f.publish = epoch, s.runsNow()[partition], s.publish
	f.oldest, f.ttl = time.Now().Add(-s.config.BacklogAge).UnixMilli(), int64(ttl())
	lane := s.lane(partition)
	var loaded string
	for range 4 {
		if ours, answer, err = f.ask(ctx, lane); err != nil {
			return "", lookedUp, unavailable(err)
		}
		switch answer {
		case "off_shift":
			err = tracking.OffShift()
		case "full":
			err = backlogFull("too many positions are waiting to be stored; keep yours and try again", 10*time.Second)
		case "old":
			err = backlogFull("positions have been waiting to be stored for too long; keep yours and try again later", 30*time.Second)
		case "courier":
			err = s.loadCourier(ctx, p.MerchantID, p.Batch.CourierID)
		case "session":
			lookedUp, err = true, s.loadSession(ctx, p.Batch.CourierID, p.Batch.Session)
		default:
			return answer, lookedUp, nil
		}
		loading := answer == "courier" || answer == "session"
		switch {
		case loading && f.run != "" && (answer == loaded || tracking.CodeOf(err) == tracking.CodeUnavailable):
			f.run = ""
		case err != nil:
			return "", lookedUp, err
		}
		loaded = answer
	}
	return "", lookedUp, unavailable(fmt.Errorf("courier %s does not stay in Redis", p.Batch.CourierID))
}

func backlogFull(message string, retryAfter time.Duration) error {
	return &tracking.Error{Code: tracking.CodeOverloaded, Message: message, RetryAfter: retryAfter}
}

var errAnswer = errors.New("the script's answer cannot be read")

// readPlaced reads the script's answer to a batch of so many fixes.
func readPlaced(answer string, fixes int) (tracking.Placed, error) {
	const fixed = 1 + 2 + 1 + 8 + 8 + 2
	if len(answer) < fixed || answer[0] != '+' {
		return tracking.Placed{}, unavailable(errAnswer)
	}
	var head [fixed]byte
	copy(head[:], answer)
	placed := tracking.Placed{
		Moved: int(binary.BigEndian.Uint16(head[1:])), Watched: head[3] == 1, Durable: int64(binary.BigEndian.Uint64(head[12:])),
	}
	if since := int64(binary.BigEndian.Uint64(head[4:])); since > 0 {
		placed.LiveSince = time.UnixMilli(since).UTC()
	}
	rejudged, rest := int(binary.BigEndian.Uint16(head[20:])), answer[fixed:]
	if placed.Moved > fixes || len(rest) < 2*rejudged {
		return tracking.Placed{}, unavailable(errAnswer)
	}
	for ; rejudged > 0; rejudged-- {
		fix := int(rest[0])<<8 | int(rest[1])
		if fix >= fixes {
			return tracking.Placed{}, unavailable(errAnswer)
		}
		placed.Rejudged, rest = append(placed.Rejudged, fix), rest[2:]
	}
	placed.Known = parseRuns(rest)
	return placed, nil
}
