package tracking

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Expiry ends what the truth has kept for long enough. Everything may be done twice, and by two at once. Errors: CodeUnavailable; some may be done then.
type Expiry interface {
	// DropDays takes away whole days of positions, those before a day, at most limit of them. Writers and readers of other days do not wait for it.
	DropDays(ctx context.Context, before Day, limit int) (dropped int, err error)
	// DropDeadLettersBefore deletes those that were buried before a moment, at most limit.
	DropDeadLettersBefore(ctx context.Context, moment time.Time, limit int) (dropped int, err error)
	// DropAuditBefore deletes entries of the audit log that were written before a moment, at most limit, and notes in it that it did.
	DropAuditBefore(ctx context.Context, moment time.Time, limit int) (dropped int, err error)
	// DropLabels empties the labels of keys that ended before a moment, at most limit: who signed in, or what a key was for.
	DropLabels(ctx context.Context, endedBefore time.Time, limit int) (dropped int, err error)
	// Redact takes the people out of deliveries that ended before a moment, at most limit, and answers which.
	Redact(ctx context.Context, endedBefore time.Time, limit int) ([]ID, error)
}

// RecordCopies are the copies of deliveries' records that are kept outside the truth.
type RecordCopies interface {
	// ForgetRecords removes them. Errors: CodeUnavailable; they expire by themselves within a day then.
	ForgetRecords(ctx context.Context, deliveries []ID) error
}

// Retention ends what was kept for long enough: days of positions, dead letters, and who was in deliveries. Every worker would do it; a lock sees to it that
// one does, and it is no harm when two do.
type Retention struct {
	expiry Expiry
	copies RecordCopies
	locks  Locks
	config RetentionConfig
	now    func() time.Time
	log    *slog.Logger
}

// RetentionConfig tunes a Retention.
type RetentionConfig struct {
	PositionDays int // whole days for which positions and dead letters are kept after their own; 0 for ever
	DeliveryDays int // days for which people stay in deliveries, and labels on keys, after those ended; 0 for ever
	AuditDays    int // days for which it is kept who changed what; 0 for ever
	// OnRound is told of each round what it ended, and whether it failed; nil for nobody. A round that another worker makes is none.
	OnRound func(ended Expired, err error)
	Every   time.Duration // how often it looks; 10 min when zero
	Lease   time.Duration // how long a worker has for one step; 30 s when zero
}

// The least that may be configured, in days.
const (
	// MinPositionDays is more than phones may keep positions for themselves and what may then wait in the backlog: none comes for a day that is gone.
	MinPositionDays = 16
	// MinAuditDays is a month: a mistake is seldom looked into later than that, and seldom on the day it is made.
	MinAuditDays = 30
	// MinDeliveryDays is more than a link outlives its delivery: nobody is shown one without its people.
	MinDeliveryDays = 8
)

const (
	dropDays     = 4    // a step: what is left of a year that was kept until now goes day by day
	expireAtOnce = 1000 // rows a step
)

var retention = Resource{Work: "retention"}

// NewRetention ties the use case to its ports. Run must run on workers.
func NewRetention(expiry Expiry, copies RecordCopies, locks Locks, config RetentionConfig, now func() time.Time, log *slog.Logger) *Retention {
	config.Every = cmp.Or(config.Every, 10*time.Minute)
	config.Lease = cmp.Or(config.Lease, 30*time.Second)
	if config.OnRound == nil {
		config.OnRound = func(Expired, error) {}
	}
	return &Retention{expiry: expiry, copies: copies, locks: locks, config: config, now: now, log: log}
}

// Run ends what is old until ctx ends.
func (u *Retention) Run(ctx context.Context) error {
	ticker := time.NewTicker(u.config.Every)
	defer ticker.Stop()
	for {
		ended, err := u.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if CodeOf(err) != CodeConflict { // then another is at it
			u.config.OnRound(ended, err)
			if err != nil {
				u.log.Warn("ending what was kept for long enough failed; it is tried again", "error", err)
			}
		}
		if ended != (Expired{}) {
			u.log.Info("ended what was kept for long enough", "days", ended.Days, "dead_letters", ended.Letters, "deliveries", ended.Deliveries, "labels", ended.Labels, "audit_entries", ended.Entries)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Expired counts what was ended: days of positions, dead letters, deliveries that were redacted, labels of keys, entries of the audit log.
type Expired struct{ Days, Letters, Deliveries, Labels, Entries int }

// runOnce works until nothing is left to end.
func (u *Retention) runOnce(ctx context.Context) (ended Expired, err error) {
	lease, err := u.locks.Acquire(ctx, retention, u.config.Lease, 0)
	if err != nil {
		return ended, err
	}
	defer func() { _ = u.locks.Release(context.WithoutCancel(ctx), lease) }()
	now := u.now()
	if days := u.config.PositionDays; days > 0 {
		err = u.repeat(ctx, lease, &ended.Days, dropDays, func() (int, error) { return u.expiry.DropDays(ctx, DayOf(now)-Day(days), dropDays) })
		if err == nil {
			moment := now.AddDate(0, 0, -days)
			err = u.repeat(ctx, lease, &ended.Letters, expireAtOnce, func() (int, error) { return u.expiry.DropDeadLettersBefore(ctx, moment, expireAtOnce) })
		}
	}
	if days := u.config.DeliveryDays; days > 0 && err == nil {
		moment := now.AddDate(0, 0, -days)
		err = u.repeat(ctx, lease, &ended.Deliveries, expireAtOnce, func() (int, error) { return u.redact(ctx, moment) })
		if err == nil {
			err = u.repeat(ctx, lease, &ended.Labels, expireAtOnce, func() (int, error) { return u.expiry.DropLabels(ctx, moment, expireAtOnce) })
		}
	}
	if days := u.config.AuditDays; days > 0 && err == nil {
		moment := now.AddDate(0, 0, -days)
		err = u.repeat(ctx, lease, &ended.Entries, expireAtOnce, func() (int, error) { return u.expiry.DropAuditBefore(ctx, moment, expireAtOnce) })
	}
	return ended, err
}

// repeat takes steps until one ends less than it might, and counts what they ended.
func (u *Retention) repeat(ctx context.Context, lease Lease, total *int, limit int, step func() (int, error)) error {
	for {
		n, err := step()
		*total += n
		if err != nil || n < limit {
			return err
		}
		if err := u.locks.Extend(ctx, lease, u.config.Lease); err != nil {
			return err
		}
	}
}

func (u *Retention) redact(ctx context.Context, endedBefore time.Time) (int, error) {
	redacted, err := u.expiry.Redact(ctx, endedBefore, expireAtOnce)
	if err != nil || len(redacted) == 0 {
		return 0, err
	}
	return len(redacted), u.copies.ForgetRecords(ctx, redacted)
}
