package redisstore

import (
	"time"

	"github.com/maypok86/otter/v2"

	"hotfoot/tracking"
)

const (
	maxUnknown  = 100_000          // deliveries that are remembered not to exist: some 15 MB
	unknownLife = 10 * time.Minute // how long that is remembered, should history be rewritten without anybody raising the epoch
)

// unknown are deliveries that need not be looked for. Ids are made by nodes, in the moment of creation, and say when that was: so what the truth did not
// have long after that will never be there, unless history is rewritten. Of what may have been created a moment ago nothing is remembered.
type unknown struct {
	cache cache[tracking.ID, absence]
	count *counts
}

// absence is what was learnt of a delivery that does not exist.
type absence struct {
	epoch int64
	until time.Time
}

func newUnknown(count *counts) unknown {
	return unknown{count: count, cache: otter.Must(&otter.Options[tracking.ID, absence]{
		MaximumSize: maxUnknown,
		Executor:    func(tidy func()) { tidy() },
		Logger:      &otter.NoopLogger{},
	})}
}

var errNoDelivery = tracking.Errorf(tracking.CodeNotFound, "no such delivery")

// refuse answers CodeNotFound for an id that no store need be asked for.
func (u unknown) refuse(delivery tracking.ID, epoch int64) error {
	now := time.Now()
	made, ours := delivery.MadeAt()
	switch {
	case !ours:
		u.count.foreign.Inc()
	case made.Sub(now) > tracking.Unsure:
		u.count.future.Inc()
	default:
		gone, known := u.cache.GetIfPresent(delivery)
		if !known || gone.epoch != epoch || now.After(gone.until) {
			return nil
		}
		u.count.absent.Inc()
	}
	return errNoDelivery
}

// learn remembers that the truth, when it was asked under this epoch, did not have a delivery. Under an epoch that is not known nothing is remembered.
func (u unknown) learn(delivery tracking.ID, epoch int64, asked time.Time) {
	if made, ours := delivery.MadeAt(); ours && epoch > 0 && asked.Sub(made) > tracking.Unsure {
		u.cache.Set(delivery, absence{epoch, asked.Add(unknownLife)})
	}
}

// forget has everything be looked for again.
func (u unknown) forget() { u.cache.InvalidateAll() }
