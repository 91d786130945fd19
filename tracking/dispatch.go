package tracking

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"
)

// Ledger is the truth about deliveries. Every method that changes something is one transaction, committed before it returns.
//
// Errors: CodeNotFound (no such delivery or courier of that merchant), CodeConflict (external_id taken), CodeIdempotencyUsed,
// CodeUnavailable (the store is away; nothing was changed as far as anyone can tell). All may block as long as ctx allows.
type Ledger interface {
	// Create stores a new delivery with its events. With a key that was used for the same hash it answers the earlier delivery.
	Create(ctx context.Context, d Delivery, events []Event, once Once) (Record, error)
	// Change locks the delivery, its courier and the courier joining (zero for none), calls decide, and stores what it answers. The
	// first Record is the delivery's; more follow when other stops of the same couriers moved up or down.
	Change(ctx context.Context, merchant, delivery ID, joining ID, clientEventID string, decide Decide) ([]Record, error)
	// Reorder puts the courier's stops in this order; stops it does not name keep theirs, behind.
	Reorder(ctx context.Context, merchant, courier ID, order []ID, now time.Time) ([]Record, error)
}

// Decide answers what shall become of a locked delivery. prior is the event that the same client event id made before, nil for none.
// An error changes nothing and is passed on as it is.
type Decide func(d Delivery, prior *Event) (Change, error)

// Change is a decision. Without events and with an equal delivery nothing is written.
type Change struct {
	Delivery Delivery
	Events   []Event
	// Place is where in the courier's route the stop goes, from 0; nil for the end.
	Place *int
}

// Once makes a creation repeatable. The zero Once does not.
type Once struct {
	Key  string
	Hash [32]byte
}

// Dispatch is what merchants, dispatchers and couriers decide about deliveries. Status changes are durable when it returns; viewers are
// told before it returns when the hot store answers quickly, and by the relay's sweep otherwise.
type Dispatch struct {
	ledger Ledger
	relay  *Relay
	now    func() time.Time
}

// NewDispatch ties the use case to its ports.
func NewDispatch(ledger Ledger, relay *Relay, now func() time.Time) *Dispatch {
	return &Dispatch{ledger: ledger, relay: relay, now: now}
}

// Create makes a delivery, and assigns it when the draft names a courier. Errors: CodeInvalid, CodeConflict, CodeIdempotencyUsed.
func (u *Dispatch) Create(ctx context.Context, actor Actor, draft Draft, once Once) (Record, error) {
	if err := draft.Validate(); err != nil {
		return Record{}, err
	}
	now := u.now()
	d := Delivery{
		ID: NewID(), MerchantID: actor.MerchantID, ExternalID: draft.ExternalID, Status: Created, Ver: 1, Rev: 1,
		Pickup: draft.Pickup, Dropoff: draft.Dropoff, Recipient: draft.Recipient, Window: draft.Window, Note: draft.Note,
		CreatedAt: now, UpdatedAt: now,
	}
	events := []Event{{Ver: 1, Status: Created, At: now, Actor: actor}}
	if !draft.CourierID.IsZero() {
		assigned, event, err := assign(d, actor, draft.CourierID, now)
		if err != nil {
			return Record{}, err
		}
		d, events = assigned, append(events, event)
	}
	record, err := u.ledger.Create(By(ctx, actor), d, events, once)
	if err != nil {
		return Record{}, err
	}
	u.relay.Tell(ctx, record)
	return record, nil
}

// Assign gives the delivery to a courier, taking it from another one if need be. place is its index in the route, nil for the end.
// Errors: CodeNotFound, CodeInvalid, CodeIllegalMove.
func (u *Dispatch) Assign(ctx context.Context, actor Actor, delivery, courier ID, place *int) (Record, error) {
	if place != nil && *place < 0 {
		return Record{}, Invalid("position", "must be 0 or more")
	}
	return u.change(ctx, actor, delivery, courier, "", func(d Delivery, _ *Event) (Change, error) {
		now := u.now()
		var events []Event
		if d.Status == Assigned && d.CourierID == courier {
			return Change{Delivery: d, Place: place}, nil
		}
		if d.Status == Assigned {
			freed, event, err := d.Apply(Move{To: Created, Actor: actor, Reason: "given to another courier"}, now)
			if err != nil {
				return Change{}, err
			}
			d, events = freed, append(events, event)
		}
		assigned, event, err := assign(d, actor, courier, now)
		if err != nil {
			return Change{}, err
		}
		return Change{Delivery: assigned, Events: append(events, event), Place: place}, nil
	})
}

func assign(d Delivery, actor Actor, courier ID, now time.Time) (Delivery, Event, error) {
	d, event, err := d.Apply(Move{To: Assigned, Actor: actor}, now)
	if err != nil {
		return d, event, err
	}
	d.CourierID, event.CourierID = courier, courier
	return d, event, nil
}

// Unassign takes the delivery back from its courier. Errors: CodeNotFound, CodeIllegalMove.
func (u *Dispatch) Unassign(ctx context.Context, actor Actor, delivery ID) (Record, error) {
	return u.decide(ctx, delivery, Move{To: Created, Actor: actor})
}

// Cancel ends the delivery. Errors: CodeNotFound, CodeIllegalMove, CodeInvalid.
func (u *Dispatch) Cancel(ctx context.Context, actor Actor, delivery ID, reason string) (Record, error) {
	return u.decide(ctx, delivery, Move{To: Cancelled, Actor: actor, Reason: reason})
}

func (u *Dispatch) decide(ctx context.Context, delivery ID, move Move) (Record, error) {
	if err := move.Validate(); err != nil {
		return Record{}, err
	}
	return u.change(ctx, move.Actor, delivery, ID{}, "", func(d Delivery, _ *Event) (Change, error) {
		moved, event, err := d.Apply(move, u.now())
		if err != nil {
			return Change{}, err
		}
		return Change{Delivery: moved, Events: []Event{event}}, nil
	})
}

// RevokeLink makes every tracking link given out so far unknown. Errors: CodeNotFound, CodeConflict after 255 times.
func (u *Dispatch) RevokeLink(ctx context.Context, actor Actor, delivery ID) (Record, error) {
	return u.change(ctx, actor, delivery, ID{}, "", func(d Delivery, _ *Event) (Change, error) {
		if d.LinkGen == 255 {
			return Change{}, Errorf(CodeConflict, "this delivery's link has been revoked too often")
		}
		d.LinkGen++
		d.UpdatedAt = u.now()
		return Change{Delivery: d}, nil
	})
}

// Reported is the answer to a courier's status report; a repeat gets the first one's.
type Reported struct {
	Event  Event
	Record Record
}

// Report is a courier's status change. The same client event id with the same body answers what the first one was answered, with another body
// CodeEventReused. Errors: CodeInvalid, CodeNotFound (also when the delivery is somebody else's), CodeIllegalMove.
func (u *Dispatch) Report(ctx context.Context, actor Actor, delivery ID, move Move) (Reported, error) {
	move.Actor = actor
	if err := move.Validate(); err != nil {
		return Reported{}, err
	}
	if move.ClientID == "" {
		return Reported{}, Invalid("client_event_id", "must not be empty: it makes a retry safe")
	}
	if !move.To.ByCourier() {
		return Reported{}, Invalid("status", "a courier cannot report %s", move.To)
	}
	var reported Event
	record, err := u.change(ctx, actor, delivery, ID{}, move.ClientID, func(d Delivery, prior *Event) (Change, error) {
		if prior != nil && prior.Actor.CourierID == actor.CourierID {
			if prior.Hash != move.Fingerprint() {
				return Change{}, Errorf(CodeEventReused, "client_event_id was used before for something else")
			}
			reported = *prior
			return Change{Delivery: d}, nil
		}
		// Decided under the row's lock: a courier who has just lost the delivery cannot slip a report in.
		if d.CourierID != actor.CourierID {
			return Change{}, Errorf(CodeNotFound, "no such delivery")
		}
		moved, event, err := d.Apply(move, u.now())
		if err != nil {
			return Change{}, err
		}
		reported = event
		return Change{Delivery: moved, Events: []Event{event}}, nil
	})
	return Reported{Event: reported, Record: record}, err
}

// Reorder sets the order of a courier's stops. Errors: CodeNotFound, CodeInvalid (a delivery that is not an unfinished stop of theirs).
func (u *Dispatch) Reorder(ctx context.Context, actor Actor, courier ID, order []ID) error {
	seen := make(map[ID]bool, len(order))
	for i, id := range order {
		if seen[id] {
			return Invalid(fmt.Sprintf("delivery_ids[%d]", i), "stands in the list twice")
		}
		seen[id] = true
	}
	changed, err := u.ledger.Reorder(By(ctx, actor), actor.MerchantID, courier, order, u.now())
	if err != nil {
		return err
	}
	u.relay.Tell(ctx, changed...)
	return nil
}

func (u *Dispatch) change(ctx context.Context, actor Actor, delivery, joining ID, clientEventID string, decide Decide) (Record, error) {
	changed, err := u.ledger.Change(By(ctx, actor), actor.MerchantID, delivery, joining, clientEventID, decide)
	if err != nil {
		return Record{}, err
	}
	u.relay.Tell(ctx, changed...)
	return changed[0], nil
}

// HashOf is the hash for Once.
func HashOf(body []byte) [32]byte { return sha256.Sum256(body) }
