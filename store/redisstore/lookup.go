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
)

//go:embed lookup.lua
var lookupLua string

//go:embed lease.lua
var leaseLua string

//go:embed keep.lua
var keepLua string

var (
	lookupScript = redis.NewScript(lookupLua)
	leaseScript  = redis.NewScript(leaseLua)
	keepScript   = redis.NewScript(keepLua)
)

// What lookup.lua answers is to be done; isAlone is our own word for a Redis that has nothing to say.
const (
	isHit   = "hit"
	isStale = "stale"
	isRenew = "renew"
	isFill  = "fill"
	isWait  = "wait"
	isAlone = "alone"
)

// lookup is what Redis knows of an answer.
type lookup struct {
	what       string
	version    string
	era        string
	at         string // the server's clock, as it tells it
	age, life  time.Duration
	same       bool // nothing of the segment has changed since
	leased     string
	size       int       // of the answer as it is written down
	value      any       // the answer, shared with all who looked at the same time
	asked      time.Time // by our clock, before Redis was asked
	generation int64     // how many changes of the segment this process had heard of before
}

func (l *lookup) has() bool { return l.what == isHit || l.what == isStale || l.what == isRenew }

// leaseLasts is how long nobody else computes what a process that has died was about to; one that lives extends it every leaseEvery.
const (
	leaseLasts = time.Second
	leaseEvery = 300 * time.Millisecond
)

// lookup asks Redis for an answer, in one round trip, and reads it once for all who share that. One that cannot be read is of another release, whose turn
// it is to replace it: nodes of both would do nothing else.
func (a *Aside) lookup(ctx context.Context, q tracking.Question, w tracking.Work, name string) (lookup, error) {
	found := lookup{era: a.store.era(q.Segment), generation: a.memory.generation(q), asked: time.Now()}
	c := q.Computation
	reply, err := lookupScript.Run(ctx, a.store.client, []string{name, key.SegmentVersion(q.Segment)},
		a.asker, found.era, c.Rest.Microseconds(), c.Grace.Microseconds(), leaseLasts.Microseconds(), int(jittered(asideKeeps).Seconds())).Slice()
	if err != nil {
		return found, unavailable(err)
	}
	body, err := found.read(reply)
	if err != nil || !found.has() {
		return found, err
	}
	if found.value, err = w.Decode(body); err != nil {
		found = lookup{what: isAlone}
	}
	return found, nil
}

// read also answers the answer as it is written down.
func (l *lookup) read(reply []any) (body []byte, err error) {
	var text [8]string
	if len(reply) != len(text) {
		return nil, fmt.Errorf("a lookup answered %d things", len(reply))
	}
	for i, part := range reply {
		switch part := part.(type) {
		case string:
			text[i] = part
		case int64:
			text[i] = strconv.FormatInt(part, 10)
		}
	}
	age, err1 := strconv.ParseInt(text[3], 10, 64)
	life, err2 := strconv.ParseInt(text[4], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("a lookup answered an age of %q and a life of %q", text[3], text[4])
	}
	l.what, l.version, l.at, l.leased = text[0], text[1], text[2], text[6]
	l.age, l.life = time.Duration(age)*time.Microsecond, time.Duration(life)*time.Microsecond
	l.same, l.size = text[5] == "1", len(text[7])
	return []byte(text[7]), nil
}

// era names the run of the server and the epoch of the truth: what was computed in another one may lack changes that nobody will tell of again.
func (s *Store) era(segment tracking.ID) string {
	return s.runsNow()[key.Partition(segment)] + "/" + strconv.FormatInt(s.epoch.Load(), 10)
}

// maxAnswer bounds what is kept of one answer, in bytes: what is larger holds up everybody else at Redis.
const maxAnswer = 2 << 20

// keep stores what was computed and ends the lease, and reports whether it was ours still. What cannot be stored costs the next reader a computation.
func (a *Aside) keep(ctx context.Context, q tracking.Question, name string, turn lookup, body []byte) bool {
	if len(body) > maxAnswer {
		a.lease(ctx, name, turn, 0)
		return false
	}
	// What was computed together is not to be computed together again.
	life := jittered(q.Computation.Life)
	kept, err := keepScript.Run(ctx, a.store.client, []string{name}, a.asker, turn.leased, turn.version, turn.at, life.Microseconds(), turn.era, body,
		(q.Computation.Life + q.Computation.Rest + q.Computation.Grace + time.Second).Milliseconds()).Int()
	if err != nil {
		a.lease(ctx, name, turn, 0)
	}
	return err == nil && kept == 1
}

// lease makes the lease last, or with 0 gives it back, and reports whether it was ours still.
func (a *Aside) lease(ctx context.Context, name string, turn lookup, lasts time.Duration) bool {
	held, err := leaseScript.Run(ctx, a.store.client, []string{name}, a.asker, turn.leased, lasts.Microseconds()).Int()
	return err == nil && held == 1
}
