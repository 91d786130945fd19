//go:build linux

package rig

import (
	"context"
	"fmt"
	"time"

	"hotfoot/tracking"
)

// Courier is one on duty, with a delivery that is underway.
type Courier struct {
	ID       tracking.ID
	Key      string
	Delivery tracking.ID
	Token    string // of the delivery's link
}

// Merchant is whose couriers they are.
func (r *Rig) Merchant(ctx context.Context) (tracking.ID, error) {
	var id tracking.ID
	err := r.db.QueryRow(ctx, `SELECT id FROM merchants WHERE name = $1`, merchant).Scan(&id)
	return id, err
}

const merchant = "Bench"

// What the API would have written, one courier after another, had it been asked in this order: create the courier, begin a shift, create and assign
// the delivery, pick up, set out. Everything is told already, so no relay has anything to do.
var seedSQL = []string{
	`INSERT INTO couriers (id, merchant_id, name, vehicle, on_duty, rev, published_rev, created_at, updated_at)
	 SELECT id, $1, 'Courier ' || n, 'bike', true, 2, 2, now(), now() FROM unnest($2::uuid[]) WITH ORDINALITY c(id, n)`,
	`INSERT INTO shifts (id, courier_id, started_at) SELECT gen_random_uuid(), id, now() FROM couriers WHERE id = ANY($2) AND merchant_id = $1`,
	`INSERT INTO api_keys (id, merchant_id, role, courier_id, hash, hint, created_at)
	 SELECT gen_random_uuid(), $1, 'courier', id, hash, hint, now() FROM unnest($2::uuid[], $3::bytea[], $4::text[]) k(id, hash, hint)`,
	`INSERT INTO deliveries (id, merchant_id, status, ver, rev, published_rev, courier_id, route_order, stops_before, pickup_lat, pickup_lon, pickup_name,
	     dropoff_lat, dropoff_lon, dropoff_address, created_at, updated_at)
	 SELECT id, $1, 'en_route', 4, 4, 4, courier, 1, 0, 37.7812, -122.4112, 'Corner Kitchen', 37.7893, -122.401, '1 Main Street', now() - interval '9 min', now()
	 FROM unnest($2::uuid[], $3::uuid[]) d(id, courier)`,
	`INSERT INTO delivery_events (delivery_id, ver, status, at, actor_kind, courier_id)
	 SELECT d.id, e.ver, e.status, now() - (5 - e.ver) * interval '2 min', CASE WHEN e.ver < 3 THEN 'merchant' ELSE 'courier' END, CASE WHEN e.ver > 1 THEN d.courier END
	 FROM unnest($1::uuid[], $2::uuid[]) d(id, courier), (VALUES (1, 'created'), (2, 'assigned'), (3, 'picked_up'), (4, 'en_route')) e(ver, status)`,
}

// Seed makes n couriers with a delivery each, and the keys of their merchant.
func (r *Rig) Seed(ctx context.Context, n int) error {
	var err error
	for role, key := range map[string]*string{"merchant": &r.MerchantKey, "ops": &r.OpsKey} {
		if *key, err = r.run(ctx, "keys", "create", "--merchant", merchant, "--role", role); err != nil {
			return err
		}
	}
	owner, err := r.Merchant(ctx)
	if err != nil {
		return err
	}
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		return err
	}
	couriers, deliveries := make([]tracking.ID, n), make([]tracking.ID, n)
	hashes, hints := make([][]byte, n), make([]string, n)
	r.Fleet = make([]Courier, n)
	for i := range n {
		couriers[i], deliveries[i] = tracking.NewID(), tracking.NewID()
		key, bearer := tracking.NewKey(owner, tracking.RoleCourier, couriers[i], "")
		hashes[i], hints[i] = key.Hash[:], key.Hint
		r.Fleet[i] = Courier{ID: couriers[i], Key: bearer, Delivery: deliveries[i], Token: linker.Token(deliveries[i], 0)}
	}
	tx, err := r.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for i, args := range [][]any{{owner, couriers}, {owner, couriers}, {owner, couriers, hashes, hints}, {owner, deliveries, couriers}, {deliveries, couriers}} {
		if _, err := tx.Exec(ctx, seedSQL[i], args...); err != nil {
			return fmt.Errorf("seeding, statement %d: %w", i+1, err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	// As a server that has been running would have it. Plans made for empty tables would be measured otherwise.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	_, err = r.db.Exec(ctx, `VACUUM ANALYZE couriers, shifts, api_keys, deliveries, delivery_events`)
	return err
}
