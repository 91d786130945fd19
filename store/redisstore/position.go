package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

var _ tracking.Hot = (*Store)(nil)

//go:embed position.lua
var positionLua string

var positionScript = redis.NewScript(positionLua)

// backlogLimit is how many batches of one partition may wait for Postgres. At a batch of 500 bytes, all partitions together hold 3 GB at most.
const backlogLimit = 100_000

// Place implements tracking.Hot.
func (s *Store) Place(ctx context.Context, p tracking.Placement) (tracking.Placed, error) {
	courier, merchant := p.Batch.CourierID, p.MerchantID
	partition := key.Partition(courier)
	keys := []string{key.Courier(courier), key.Positions(partition), key.Geo(partition, merchant), key.Session(courier, p.Batch.Session)}
	var fix, batch []byte
	if p.Newest != nil {
		fix = wire.AppendPosition(nil, *p.Newest)
	}
	if p.Keep {
		batch = wire.AppendBatch(nil, p.Batch)
	}
	args := []any{
		fix, batch, seqRuns(p.Batch), key.Courier(courier), key.Fleet(partition, merchant), wire.FleetPositionPrefix(courier),
		courier.String(), backlogLimit, int(ttl().Seconds()),
	}

	// What is not hot is loaded and the script asked again. Two loads can be needed, the courier's and the session's.
	for range 4 {
		answer, err := positionScript.Run(ctx, s.client, keys, args...).Slice()
		if err != nil {
			return tracking.Placed{}, unavailable(err)
		}
		switch answer[0] {
		case "ok":
			return readPlaced(answer)
		case "off_shift":
			return tracking.Placed{}, tracking.OffShift()
		case "full":
			return tracking.Placed{}, &tracking.Error{
				Code: tracking.CodeOverloaded, Message: "too many positions are waiting to be stored; keep yours and try again", RetryAfter: 10 * time.Second,
			}
		case "courier":
			err = s.loadCourier(ctx, merchant, courier)
		case "session":
			err = s.loadSession(ctx, courier, p.Batch.Session)
		}
		if err != nil {
			return tracking.Placed{}, err
		}
	}
	return tracking.Placed{}, unavailable(fmt.Errorf("courier %s does not stay in Redis", courier))
}

func readPlaced(answer []any) (tracking.Placed, error) {
	placed := tracking.Placed{Live: answer[1].(int64) == 1, Watched: answer[3].(int64) > 0}
	if since := answer[2].(int64); since > 0 {
		placed.LiveSince = time.UnixMilli(since).UTC()
	}
	var err error
	if placed.Known, err = parseRuns(answer[4].(string)); err != nil {
		return placed, err
	}
	placed.Durable, err = strconv.ParseInt(answer[5].(string), 10, 64)
	return placed, err
}

// seqRuns writes a batch's seqs as the script reads them: "1-57,60-60".
func seqRuns(b tracking.Batch) string {
	seqs := slices.Clone(b.Settled)
	for i := range b.Fixes {
		if seq := b.Fixes[i].Seq; seq > 0 {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	var out strings.Builder
	for i := 0; i < len(seqs); {
		j := i
		for j+1 < len(seqs) && seqs[j+1] <= seqs[j]+1 {
			j++
		}
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%d-%d", seqs[i], seqs[j])
		i = j + 1
	}
	return out.String()
}

func parseRuns(s string) ([]tracking.Span, error) {
	if s == "" {
		return nil, nil
	}
	var spans []tracking.Span
	for run := range strings.SplitSeq(s, ",") {
		first, last, _ := strings.Cut(run, "-")
		f, err1 := strconv.ParseInt(first, 10, 64)
		l, err2 := strconv.ParseInt(last, 10, 64)
		if err1 != nil || err2 != nil || f > l || l == math.MaxInt64 {
			return nil, fmt.Errorf("unreadable seqs %q in Redis", s)
		}
		spans = append(spans, tracking.Span{First: f, Last: l})
	}
	return spans, nil
}

func (s *Store) loadSession(ctx context.Context, courier tracking.ID, session string) error {
	seq, err := s.truth.DurableSeq(ctx, courier, session)
	if err != nil && tracking.CodeOf(err) != tracking.CodeUnavailable {
		return err
	}
	// With Postgres away the session starts over at 0: the phone may send more than needed, and every point is still stored once.
	return s.MarkDurable(ctx, []tracking.Mark{{CourierID: courier, Session: session, DurableSeq: seq}})
}
