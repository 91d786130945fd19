package tracking

import (
	"cmp"
	"context"
	"log/slog"
	"time"
)

// Outbox is the truth's memory of who has not been told yet. Errors: CodeUnavailable.
type Outbox interface {
	// Unpublished answers records that changed before the given time and were not marked since, oldest first, at most limit.
	Unpublished(ctx context.Context, before time.Time, limit int) ([]Record, error)
	// MarkPublished notes that viewers were told of these revisions. A record that has changed again meanwhile stays unpublished.
	MarkPublished(ctx context.Context, told []Record) error
}

// Announcer keeps a record hot and tells every node that watches it. The write comes first and the telling last, so that nobody hears of
// what cannot be read. An older record than the one kept changes nothing. Errors: CodeUnavailable.
type Announcer interface {
	Announce(ctx context.Context, records ...Record) error
}

// Relay carries committed changes to viewers: at once for whoever made them, and by a sweep for what a crash or an outage left behind.
//
// Every change is announced at least once; a delivery's announcements may repeat and are ordered by Rev at the receiver.
type Relay struct {
	outbox    Outbox
	announcer Announcer
	config    RelayConfig
	told      chan []Record
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
	return &Relay{outbox: outbox, announcer: announcer, config: config, told: make(chan []Record, 256), log: log}
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

// Run marks what was told and sweeps what was not, until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	ticker := time.NewTicker(r.config.Sweep)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case records := <-r.told:
			if err := r.mark(ctx, records); err != nil && ctx.Err() == nil {
				r.log.Warn("marking announcements failed; they will be repeated", "error", err)
			}
		case <-ticker.C:
			if err := r.sweep(ctx); err != nil && ctx.Err() == nil {
				r.log.Warn("sweeping unannounced changes failed", "error", err)
			}
		}
	}
}

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
