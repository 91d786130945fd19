package tracking

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// LimitCount is how many decisions one node made on one key under one policy in one minute.
type LimitCount struct {
	MerchantID ID
	Minute     time.Time
	Subject    LimitSubject
	Policy     LimitPolicy
	KeyHash    [16]byte
	Allowed    int64
	Refused    int64
}

// LimitFilter says which counts are asked for: From included, To not, and those After one.
type LimitFilter struct {
	From, To     time.Time
	AfterMinute  time.Time // zero for the first page
	AfterSubject LimitSubject
	Limit        int
}

// LimitLedger keeps counts of decisions for analytics. Errors: CodeUnavailable.
type LimitLedger interface {
	// KeepLimitCounts keeps a node's totals. A total only grows, so that keeping it again changes nothing.
	KeepLimitCounts(ctx context.Context, node ID, counts []LimitCount) error
}

// LimitLogConfig bounds a LimitLog; zero fields get defaults.
type LimitLogConfig struct {
	Every time.Duration // between two writes; 5 s
	Size  int           // keys of the minutes that are not written yet; 20,000
}

// LimitLog counts decisions and brings the counts to the truth, off the path of those who asked. What is written is how many there were in a minute so far, so
// that a write whose answer got lost is repeated without harm; a node that is killed takes its last seconds with it. Beyond its size new keys are not
// counted, and that is.
type LimitLog struct {
	ledger  LimitLedger
	node    ID
	config  LimitLogConfig
	log     *slog.Logger
	now     func() time.Time
	dropped atomic.Int64

	mu     sync.Mutex
	counts map[limitMinute]*keptCount
}

type limitMinute struct {
	minute  int64 // Unix
	subject LimitSubject
}

type keptCount struct {
	LimitCount
	written int64 // how many of its decisions the ledger has
}

// limitBatch is how many counts one write has.
const limitBatch = 1000

// NewLimitLog makes a log for one process. Run must run.
func NewLimitLog(ledger LimitLedger, config LimitLogConfig, now func() time.Time, log *slog.Logger) *LimitLog {
	config.Every = cmp.Or(config.Every, 5*time.Second)
	config.Size = cmp.Or(config.Size, 20_000)
	return &LimitLog{ledger: ledger, node: NewID(), config: config, log: log, now: now, counts: map[limitMinute]*keptCount{}}
}

// Dropped says how many decisions were not counted, since there were too many keys.
func (l *LimitLog) Dropped() int64 { return l.dropped.Load() }

func (l *LimitLog) note(merchant ID, policy LimitPolicy, subject LimitSubject, keyHash [16]byte, at time.Time, allowed bool) {
	minute := at.UTC().Truncate(time.Minute)
	where := limitMinute{minute.Unix(), subject}
	l.mu.Lock()
	defer l.mu.Unlock()
	count := l.counts[where]
	if count == nil {
		if len(l.counts) >= l.config.Size {
			l.dropped.Add(1)
			return
		}
		count = &keptCount{LimitCount: LimitCount{MerchantID: merchant, Minute: minute, Subject: subject, Policy: policy, KeyHash: keyHash}}
		l.counts[where] = count
	}
	if allowed {
		count.Allowed++
	} else {
		count.Refused++
	}
}

// Run writes until ctx ends, and then once more.
func (l *LimitLog) Run(ctx context.Context) error {
	ticker := time.NewTicker(l.config.Every)
	defer ticker.Stop()
	failing := false
	for {
		ending := false
		select {
		case <-ctx.Done():
			ending = true
		case <-ticker.C:
		}
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.config.Every)
		err := l.runOnce(writing)
		cancel()
		// What was not written is written later, with what came meanwhile: once is enough to say so.
		if err != nil && !failing {
			l.log.Warn("counts of rate limit decisions cannot be written; they are kept as long as there is room", "error", err)
		}
		failing = err != nil
		if ending {
			return nil
		}
	}
}

// runOnce writes what has changed, and forgets minutes that are over.
func (l *LimitLog) runOnce(ctx context.Context) error {
	for batch := range slices.Chunk(l.unwritten(), limitBatch) {
		if err := l.ledger.KeepLimitCounts(ctx, l.node, batch); err != nil {
			return err
		}
		l.settle(batch)
	}
	return nil
}

// unwritten are the counts that the ledger does not have yet. What it has of minutes that are over is let go of.
func (l *LimitLog) unwritten() (counts []LimitCount) {
	// A decision is noted a moment after its minute was read, so that the minute before may still grow.
	over := l.now().Add(-2 * time.Minute).Unix()
	l.mu.Lock()
	defer l.mu.Unlock()
	for where, c := range l.counts {
		switch {
		case c.Allowed+c.Refused > c.written:
			counts = append(counts, c.LimitCount)
		case where.minute < over:
			delete(l.counts, where)
		}
	}
	return counts
}

func (l *LimitLog) settle(batch []LimitCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range batch {
		l.counts[limitMinute{batch[i].Minute.Unix(), batch[i].Subject}].written = batch[i].Allowed + batch[i].Refused
	}
}
