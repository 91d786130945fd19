package tracking

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"
)

// Outbox is the truth's memory of who has not been told yet. Errors: CodeUnavailable.
type Outbox interface {
	// Unpublished answers records that changed before the given time and were not marked since, oldest first, at most limit.
	Unpublished(ctx context.Context, before time.Time, limit int) ([]Record, error)
	// MarkPublished notes that viewers were told of these revisions. A record that has changed again meanwhile stays unpublished.
	MarkPublished(ctx context.Context, told []Record) error
	// UnpublishedCouriers and MarkCouriersPublished are the same for couriers, whose hot copy says whether their positions are taken.
	UnpublishedCouriers(ctx context.Context, before time.Time, limit int) ([]Courier, error)
	MarkCouriersPublished(ctx context.Context, told []Courier) error
}

// Announcer keeps a record hot and tells every node that watches it. The write comes first and the telling last, so that nobody hears of
// what cannot be read. An older record than the one kept changes nothing. Errors: CodeUnavailable.
type Announcer interface {
	Announce(ctx context.Context, records ...Record) error
	// KeepCourier is the same for a courier.
	KeepCourier(ctx context.Context, c Courier) error
}

// Relay carries committed changes to viewers: at once for whoever made them, and by a sweep for what a crash or an outage left behind.
//
// Every change is announced at least once; a delivery's announcements may repeat and are ordered by Rev at the receiver.
type Relay struct {
	outbox    Outbox
	announcer Announcer
	config    RelayConfig
	told      chan []Record
	kept      chan Courier
	log       *slog.Logger
}

// RelayConfig tunes a Relay; zero fields get defaults.
type RelayConfig struct {
	Patience time.Duration // how long a request waits for its own announcement; 250 ms
	Sweep    time.Duration // how often the outbox is looked at; 1 s
	Grace    time.Duration // how old a change must be before the sweep takes it over; 2 s
}

// NewRelay ties the relay to its ports. Run must be running for marks and sweeps to happen.
func NewRelay(outbox Outbox, announcer Announcer, config RelayConfig, log *slog.Logger) *Relay {
	config.Patience = cmp.Or(config.Patience, 250*time.Millisecond)
	config.Sweep = cmp.Or(config.Sweep, time.Second)
	config.Grace = cmp.Or(config.Grace, 2*time.Second)
	return &Relay{outbox: outbox, announcer: announcer, config: config, told: make(chan []Record, 256), kept: make(chan Courier, 256), log: log}
}

// Tell announces records that have just been committed, waiting no longer than Patience. It cannot fail: the change is durable whatever
// happens here, and the sweep makes good what this could not do.
func (r *Relay) Tell(ctx context.Context, records ...Record) {
	if len(records) == 0 {
		return
	}
	// The client may be gone already; the change is not.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Patience)
	defer cancel()
	if err := r.announcer.Announce(ctx, records...); err != nil {
		return
	}
	select {
	case r.told <- records:
	default: // a full queue costs one repeated announcement
	}
}

// Keep brings the hot copy of a courier that has just been changed up to date, and tells maps; in all else it is like Tell.
func (r *Relay) Keep(ctx context.Context, c Courier) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.config.Patience)
	defer cancel()
	if err := r.announcer.KeepCourier(ctx, c); err != nil {
		return
	}
	select {
	case r.kept <- c:
	default:
	}
}

// Run marks what was told and sweeps what was not, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.config.Sweep)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case records := <-r.told:
			if err := r.bounded(ctx, func(ctx context.Context) error { return r.mark(ctx, records) }); err != nil && ctx.Err() == nil {
				r.log.Warn("marking announcements failed; they will be repeated", "error", err)
			}
		case c := <-r.kept:
			if err := r.bounded(ctx, func(ctx context.Context) error { return r.outbox.MarkCouriersPublished(ctx, []Courier{c}) }); err != nil && ctx.Err() == nil {
				r.log.Warn("marking a courier's hot copy failed; it will be made again", "error", err)
			}
		case <-ticker.C:
			err := errors.Join(r.bounded(ctx, r.sweepCouriers), r.bounded(ctx, r.sweep))
			if err != nil && !failing && ctx.Err() == nil {
				r.log.Warn("changes that were not announced wait for a store", "error", err)
			}
			failing = err != nil
		}
	}
}

// bounded gives one turn of the loop a time to end: a store that has gone silent must not end the others.
func (r *Relay) bounded(ctx context.Context, turn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	return turn(ctx)
}

const turnLimit = 5 * time.Second

// mark takes what else is waiting along, so that a burst costs one statement.
func (r *Relay) mark(ctx context.Context, records []Record) error {
	for len(records) < 500 {
		select {
		case more := <-r.told:
			records = append(records[:len(records):len(records)], more...)
			continue
		default:
		}
		break
	}
	return r.outbox.MarkPublished(ctx, records)
}

// sweep announces until nothing is left, or until a store is away.
func (r *Relay) sweep(ctx context.Context) error {
	const limit = 200
	for {
		records, err := r.outbox.Unpublished(ctx, time.Now().Add(-r.config.Grace), limit)
		if err != nil || len(records) == 0 {
			return err
		}
		if err := r.announcer.Announce(ctx, records...); err != nil {
			return err
		}
		if err := r.outbox.MarkPublished(ctx, records); err != nil {
			return err
		}
		r.log.Info("announced changes that had been left behind", "count", len(records))
		if len(records) < limit {
			return nil
		}
	}
}

// sweepCouriers does the same for couriers. They come before deliveries: what a customer may see hangs on who is on duty.
func (r *Relay) sweepCouriers(ctx context.Context) error {
	const limit = 200
	for {
		couriers, err := r.outbox.UnpublishedCouriers(ctx, time.Now().Add(-r.config.Grace), limit)
		if err != nil || len(couriers) == 0 {
			return err
		}
		for _, c := range couriers {
			if err := r.announcer.KeepCourier(ctx, c); err != nil {
				return err
			}
		}
		if err := r.outbox.MarkCouriersPublished(ctx, couriers); err != nil {
			return err
		}
		r.log.Info("refreshed couriers' hot copies that had been left behind", "count", len(couriers))
		if len(couriers) < limit {
			return nil
		}
	}
}
