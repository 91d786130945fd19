package tracking

import (
	"context"
	"log/slog"
	"time"
)

// Staff is the truth about couriers and keys. Every method that changes something is one transaction. Errors: CodeNotFound, CodeUnavailable.
type Staff interface {
	CreateCourier(ctx context.Context, c Courier, key Key) error
	UpdateCourier(ctx context.Context, merchant, courier ID, change func(Courier) (Courier, error)) (Courier, []Record, error)
	// SetDuty opens or closes the courier's shift; setting what is set already changes nothing. The records are the courier's stops, whose
	// customers may or may no longer see them.
	SetDuty(ctx context.Context, courier ID, onDuty bool, now time.Time) (Courier, []Record, error)
	// RotateKey stores a new key of the courier, and has the others end: at until if that is after now, or else by revoking them; it answers the hashes
	// of the revoked.
	RotateKey(ctx context.Context, merchant, courier ID, key Key, now, until time.Time) ([][32]byte, error)
}

// Revoker makes keys stop working on every node at once. Errors: CodeUnavailable.
type Revoker interface {
	Revoke(ctx context.Context, hashes [][32]byte) error
}

// Roster is what merchants decide about couriers, and couriers about their shift.
type Roster struct {
	staff   Staff
	revoker Revoker
	relay   *Relay
	now     func() time.Time
	log     *slog.Logger
}

// NewRoster ties the use case to its ports.
func NewRoster(staff Staff, revoker Revoker, relay *Relay, now func() time.Time, log *slog.Logger) *Roster {
	return &Roster{staff: staff, revoker: revoker, relay: relay, now: now, log: log}
}

// Hire creates a courier, off duty, and the secret that their phone uses; it is shown this once. Errors: CodeInvalid.
func (u *Roster) Hire(ctx context.Context, actor Actor, c Courier) (Courier, string, error) {
	c.ID, c.MerchantID, c.Rev, c.CreatedAt, c.OnDuty = NewID(), actor.MerchantID, 1, u.now(), false
	if err := c.Validate(); err != nil {
		return Courier{}, "", err
	}
	key, secret := NewKey(c.MerchantID, RoleCourier, c.ID, "")
	return c, secret, u.staff.CreateCourier(By(ctx, actor), c, key)
}

// Amend changes a courier's name, vehicle or phone. Errors: CodeNotFound, CodeInvalid.
func (u *Roster) Amend(ctx context.Context, actor Actor, courier ID, change func(*Courier)) (Courier, error) {
	c, records, err := u.staff.UpdateCourier(By(ctx, actor), actor.MerchantID, courier, func(c Courier) (Courier, error) {
		change(&c)
		return c, c.Validate()
	})
	if err != nil {
		return Courier{}, err
	}
	u.relay.Keep(ctx, c)
	u.relay.Tell(ctx, records...)
	return c, nil
}

// RotateKey gives the courier a new secret. The old ones go on for the overlap, in which their phone can change; without one they end at once.
// Errors: CodeNotFound, CodeInvalid (the overlap).
func (u *Roster) RotateKey(ctx context.Context, actor Actor, courier ID, overlap time.Duration) (string, error) {
	if err := checkOverlap(overlap); err != nil {
		return "", err
	}
	key, secret := NewKey(actor.MerchantID, RoleCourier, courier, "")
	now := u.now()
	revoked, err := u.staff.RotateKey(By(ctx, actor), actor.MerchantID, courier, key, now, now.Add(overlap))
	if err != nil {
		return "", err
	}
	if err := u.revoker.Revoke(ctx, revoked); err != nil {
		u.log.Warn("telling other nodes of a revoked key failed; they will notice when they look it up again", "error", err)
	}
	return secret, nil
}

// SetShift puts the acting courier on or off duty. Once it returns, positions of a courier off duty are refused; with the hot store away or
// slow that is true as soon as it is back and the relay's sweep has reached it. Errors: CodeUnavailable.
func (u *Roster) SetShift(ctx context.Context, actor Actor, onDuty bool) (Courier, error) {
	c, records, err := u.staff.SetDuty(By(ctx, actor), actor.CourierID, onDuty, u.now())
	if err != nil {
		return Courier{}, err
	}
	u.relay.Keep(ctx, c)
	u.relay.Tell(ctx, records...)
	return c, nil
}
