// Package redisstore keeps what is hot: the newest position and duty of every courier, the record of every delivery that somebody looks at,
// and the backlog of positions on their way to Postgres.
//
//	tracking.Hot ────────> position.go + position.lua, session.go    one run of a script a report
//	                       form.go, lane.go                          its arguments; the round trips that reports share
//	                       mark.go + mark.lua, owed.go               how far phones have come in Postgres
//	tracking.Announcer ──> delivery.go + announce.lua, courier.go + courier.lua    write, then tell
//	tracking.HotKeys ────> actor.go                                  for when Postgres cannot be asked
//	tracking.HotBoards ──> board.go + board*.lua                     counted once a delivery, filled from the truth
//	tracking.Results ────> result.go                                 by what they were worked out from
//	tracking.Locks ──────> lock.go + lock.lua, extend.lua, release.lua    so that work is not doubled
//	tracking.Answers ────> aside.go, segment.go                      what was computed: by one for all, and stale when its segment changes
//	reads ───────────────> sight.go, read.go, held.go, courier.go    Redis first; what this process holds, if Redis says that it is right
//	                       fill.go, claim.go, await.go, unknown.go   the truth on a miss, once for all processes, or without Redis
//	outages ─────────────> guard.go, probe.go, run.go                a server that does not answer is not asked, and one that is back not believed
//
// Guarantees. Nothing here is the truth: an empty Redis is filled again from Postgres as things are asked for, in shared queries. An older
// value never replaces a newer one, whatever order writers arrive in: every write is a script that compares first. Scripts write first and
// publish last, so that nobody is told of what was refused. What was learnt under a lower epoch is a future that may not have happened: it
// is never compared with what came after, but replaced. What is left of another run of the server, from its file or from a master that it
// followed, is read from the truth again before it counts; while the truth is away too, it is all that there is. A full server takes no more batches, but still takes what replaces what it has, so
// that viewers are told. Everything but the backlog expires, with jitter.
//
// Concurrency. Everything may be called at any time from anywhere. Round trips that are shared run in goroutines of their own, which end with the last
// one who waits: two at most for reads of records, two for reads of the truth, and one a lane for reports. Run waits for them. An Aside has one for each
// answer that is being computed, and waits for them when it ends.
//
// Each script stands beside its Go method, with its keys, arguments and answer in its head. Names of keys are built in tracking/key.
package redisstore

import (
	"cmp"
	"context"
	crypto "crypto/rand"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// Truth is where a miss is filled from, and what is read instead of a Redis that is away. Errors: CodeUnavailable; Courier also CodeNotFound.
type Truth interface {
	// Records answers the records that there are; ids that do not exist are left out.
	Records(ctx context.Context, deliveries []tracking.ID) ([]tracking.Record, error)
	// Revisions answers in the order of the ids; the zero Revision for one that does not exist.
	Revisions(ctx context.Context, deliveries []tracking.ID) ([]tracking.Revision, error)
	// NewestOf answers in the order of the ids; nil where nothing recent is known.
	NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error)
	Courier(ctx context.Context, merchant, courier tracking.ID) (tracking.Courier, error)
	DurableSeq(ctx context.Context, courier tracking.ID, session string) (int64, error)
}

// Config bounds a Store; zero fields get defaults.
type Config struct {
	// BacklogBytes is how much may wait for Postgres before more is refused, over all partitions, each of which has an equal share; 1 GiB. Redis needs
	// about half as much again for its own bookkeeping.
	BacklogBytes int64
	// BacklogAge is how old the oldest of what waits may become; 24 h.
	BacklogAge time.Duration
	// HeldBytes is about how much memory decoded records may take in this process; 64 MiB, some 25,000 deliveries.
	HeldBytes int64
}

// Store answers every port that the hot store stands behind.
type Store struct {
	client  redis.UniversalClient
	truth   Truth
	config  Config
	publish string               // "PUBLISH", or "SPUBLISH" on a cluster, whose masters would each be sent all that is published otherwise
	epoch   atomic.Int64         // 0 while it is not known
	runs    atomic.Pointer[Runs] // nil while they are not known
	owed    owed
	name    string        // of this process, on placeholders
	life    time.Duration // of placeholders
	count   *counts
	unknown unknown
	held    held
	reads   reads
	fills   fills
	lanes   []lane
}

// New makes a Store over a client; closing the client stays the caller's.
func New(client redis.UniversalClient, truth Truth, config Config) *Store {
	config.BacklogBytes = cmp.Or(config.BacklogBytes, 1<<30)
	config.BacklogAge = cmp.Or(config.BacklogAge, 24*time.Hour)
	config.HeldBytes = cmp.Or(config.HeldBytes, 64<<20)
	s := &Store{client: client, truth: truth, config: config, lanes: make([]lane, lanesOfServer), publish: "PUBLISH", name: crypto.Text(), life: claimLife, count: newCounts()}
	if _, cluster := client.(*redis.ClusterClient); cluster {
		// Whoever waits for one master must not hold up those who go to another, and slots may move.
		s.lanes, s.publish = make([]lane, key.Partitions), "SPUBLISH"
	}
	for i := range s.lanes {
		s.lanes[i].client = client
	}
	s.held, s.unknown = newHeld(config.HeldBytes), newUnknown(s.count)
	s.fills = fills{
		records: truth.Records, claim: s.claim, keep: s.keepRecords, release: s.release, absent: s.unknown.learn,
		runs: s.runsNow, epoch: s.epoch.Load, count: s.count, limit: fillLimit, pending: map[tracking.ID]*fill{},
	}
	s.reads.ask, s.reads.limit = s.readKept, readLimit
	return s
}

// lanesOfServer is how many round trips with reports there are at once to a single server, which has one thread for all: while it works on one, the
// answers of the other are read and the next is written.
const lanesOfServer = 2

func (s *Store) lane(partition int) *lane { return &s.lanes[partition%len(s.lanes)] }

// SetEpoch says under which epoch the truth is; it never goes down. Until it is called once nothing is compared with it.
func (s *Store) SetEpoch(epoch int64) {
	for known := s.epoch.Load(); epoch > known; known = s.epoch.Load() {
		if s.epoch.CompareAndSwap(known, epoch) {
			s.owed.forget(epoch)
			return
		}
	}
}

// settleEvery is how often marks are tried that are owed.
const settleEvery = 500 * time.Millisecond

// Run makes the marks that are owed until ctx ends. Then it waits for reports and for reads of the truth that are under way; later ones are refused.
func (s *Store) Run(ctx context.Context) error {
	defer func() {
		for i := range s.lanes {
			s.lanes[i].close()
		}
		s.reads.close()
		s.fills.close()
	}()
	ticker := time.NewTicker(settleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			// What fails is still owed, and why is known to whoever watches the breaker.
			_ = s.Settle(ctx)
		}
	}
}

// ttl is how long hot things stay without being touched, in seconds, spread so that what was written together does not expire together.
func ttl() int { return int((20*time.Hour + rand.N(4*time.Hour)).Seconds()) }

// unavailable is the domain's word for every failure of Redis: a server that is full or read-only answers, but is no more use than one that
// does not.
func unavailable(err error) error {
	if err == nil || errors.As(err, new(*tracking.Error)) {
		return err
	}
	return tracking.Unavailable("Redis", err)
}
