package tracking

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// MerchantDay is one day of one merchant.
type MerchantDay struct {
	Merchant ID
	Day      Day
}

// Seals keep what was delivered on days that are over. Errors: CodeUnavailable.
type Seals interface {
	// Unsealed answers days from one on and before another on which something was delivered and which are not sealed, the earliest first.
	Unsealed(ctx context.Context, from, until Day, limit int) ([]MerchantDay, error)
	// Seal keeps a day; one that is sealed stays as it is. CodeConflict when a later lease was seen.
	Seal(ctx context.Context, l Lease, of MerchantDay) error
	// LastFence is the highest that was seen on a resource, 0 for none.
	LastFence(ctx context.Context, r Resource) (int64, error)
}

// Sealing keeps the standings of days that are over. Every worker would do it; a lock sees to it that one does, and should its holder pause for longer
// than its lease lives, the truth refuses what it writes after another has begun.
type Sealing struct {
	seals  Seals
	locks  Locks
	config SealingConfig
	now    func() time.Time
	log    *slog.Logger
}

// SealingConfig tunes a Sealing; zero fields get defaults.
type SealingConfig struct {
	Every time.Duration // how often it looks for days that are over; 10 min
	Lease time.Duration // how long a worker has for one day of one merchant; 30 s
}

const (
	// sealAfter is how long after its end a day is sealed: whatever was to be committed in it has been, also by nodes whose clocks are behind.
	sealAfter = time.Hour
	// sealBack is how many days back it looks: workers that were away longer leave those days to be counted whenever they are asked for.
	sealBack  = 14
	sealBatch = 200
)

var sealing = Resource{Work: "sealing"}

// NewSealing ties the use case to its ports. Run must run on workers.
func NewSealing(seals Seals, locks Locks, config SealingConfig, now func() time.Time, log *slog.Logger) *Sealing {
	config.Every = cmp.Or(config.Every, 10*time.Minute)
	config.Lease = cmp.Or(config.Lease, 30*time.Second)
	return &Sealing{seals: seals, locks: locks, config: config, now: now, log: log}
}

// Run seals what is over until ctx ends.
func (u *Sealing) Run(ctx context.Context) error {
	ticker := time.NewTicker(u.config.Every)
	defer ticker.Stop()
	for {
		sealed, err := u.runOnce(ctx)
		switch code := CodeOf(err); {
		case ctx.Err() != nil:
			return nil
		case code == CodeConflict, code == CodeUnavailable: // another is at it, or it waits for a store, of which the breaker has told
		case err != nil:
			u.log.Error("sealing days that are over failed", "error", err)
		}
		if sealed > 0 {
			u.log.Info("sealed the standings of days that are over", "count", sealed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// runOnce seals until nothing is left, and answers how much it sealed.
func (u *Sealing) runOnce(ctx context.Context) (sealed int, err error) {
	after, err := u.seals.LastFence(ctx, sealing)
	if err != nil {
		return 0, err
	}
	lease, err := u.locks.Acquire(ctx, sealing, u.config.Lease, after)
	if err != nil {
		return 0, err
	}
	defer func() { _ = u.locks.Release(context.WithoutCancel(ctx), lease) }()
	until := DayOf(u.now().Add(-sealAfter))
	for {
		days, err := u.seals.Unsealed(ctx, until-sealBack, until, sealBatch)
		if err != nil || len(days) == 0 {
			return sealed, err
		}
		for _, of := range days {
			if err := u.locks.Extend(ctx, lease, u.config.Lease); err != nil {
				return sealed, err
			}
			if err := u.seals.Seal(ctx, lease, of); err != nil {
				return sealed, err
			}
			sealed++
		}
	}
}
