package tracking

import (
	"context"
	"log/slog"
	"time"
)

// Tenants is the truth about merchants. Errors: CodeNotFound, CodeUnavailable.
type Tenants interface {
	MerchantOf(ctx context.Context, id ID) (Merchant, error)
	// UpdateMerchant stores what change answers, in one transaction; its error changes nothing and is passed on as it is. Deliveries under way are owed
	// the new settings from then on.
	UpdateMerchant(ctx context.Context, id ID, change func(Merchant) (Merchant, error)) (Merchant, error)
	// PassOn brings new settings to the deliveries under way of the next couriers of any merchant that owes them, and answers those deliveries; owing says
	// whether somebody may still be owed something.
	PassOn(ctx context.Context, couriers int, now time.Time) (told []Record, owing bool, err error)
}

// Tenancy is what a merchant decides about what its customers see.
type Tenancy struct {
	tenants Tenants
	relay   *Relay
	now     func() time.Time
	log     *slog.Logger
	changed chan struct{}
}

// NewTenancy ties the use case to its ports. Run must be running somewhere for changes to reach deliveries that are under way.
func NewTenancy(tenants Tenants, relay *Relay, now func() time.Time, log *slog.Logger) *Tenancy {
	return &Tenancy{tenants: tenants, relay: relay, now: now, log: log, changed: make(chan struct{}, 1)}
}

// Merchant is the actor's. Errors: CodeNotFound, CodeUnavailable.
func (u *Tenancy) Merchant(ctx context.Context, actor Actor) (Merchant, error) {
	return u.tenants.MerchantOf(ctx, actor.MerchantID)
}

// Amend changes what the actor's merchant lets its customers see. What is opened from then on follows it at once; viewers who watch already are told
// within seconds, by Run. Errors: CodeInvalid, CodeNotFound, CodeUnavailable.
func (u *Tenancy) Amend(ctx context.Context, actor Actor, change func(*Merchant)) (Merchant, error) {
	m, err := u.tenants.UpdateMerchant(By(ctx, actor), actor.MerchantID, func(m Merchant) (Merchant, error) {
		change(&m)
		return m, m.Validate()
	})
	if err != nil {
		return Merchant{}, err
	}
	select {
	case u.changed <- struct{}{}:
	default: // it is about to look anyway
	}
	return m, nil
}

const (
	passOnEvery    = time.Second // for changes that were made on a node which is gone, or does not run this
	passOnCouriers = 100         // at a time: some hundred deliveries, whose couriers' routes nobody else can change meanwhile
)

// Run brings changed settings to deliveries that are under way, until ctx ends. Any number of nodes may run it.
func (u *Tenancy) Run(ctx context.Context) error {
	ticker := time.NewTicker(passOnEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-u.changed:
		case <-ticker.C:
		}
		err := u.passOn(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			u.log.Warn("bringing a merchant's new settings to its deliveries waits for Postgres", "error", err)
		}
		failing = err != nil
	}
}

// passOn goes on until nobody is owed anything, or its turn is over. Whom it cannot tell the relay's sweep will.
func (u *Tenancy) passOn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	for {
		records, owing, err := u.tenants.PassOn(ctx, passOnCouriers, u.now())
		if err != nil {
			return err
		}
		u.relay.Tell(ctx, records...)
		if !owing || ctx.Err() != nil {
			return nil
		}
	}
}
