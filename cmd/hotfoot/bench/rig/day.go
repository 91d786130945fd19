//go:build linux

package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// Day is a day of a merchant's: today's deliveries, most of them finished, and the fixes of their couriers.
type Day struct {
	Date  string        // YYYY-MM-DD, UTC
	Links []string      // a token for each delivery; the fleet's, which are underway, come first
	IDs   []tracking.ID // of the deliveries, in the same order
}

// SeedDay fills the day up to so many deliveries and positions, the same ones each time but for when they were: deliveries are from midnight till now,
// fixes of the last hours. It must follow Seed.
func (r *Rig) SeedDay(ctx context.Context, deliveries, positions int) (*Day, error) {
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		return nil, err
	}
	owner, err := r.Merchant(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	day := &Day{Date: now.Format(time.DateOnly)}
	for _, c := range r.Fleet {
		day.Links, day.IDs = append(day.Links, c.Token), append(day.IDs, c.Delivery)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	stops := slices.Repeat([]int{1}, len(r.Fleet)) // the delivery that is underway
	orders := make([]order, max(0, deliveries-len(r.Fleet)))
	for i := range orders {
		orders[i] = newOrder(dice, i, r.Fleet, stops, now)
		day.Links, day.IDs = append(day.Links, linker.Token(orders[i].id, 0)), append(day.IDs, orders[i].id)
	}
	_, err = r.db.CopyFrom(ctx, pgx.Identifier{"deliveries"}, deliveryColumns, pgx.CopyFromSlice(len(orders), func(i int) ([]any, error) { return orders[i].row(owner), nil }))
	if err != nil {
		return nil, fmt.Errorf("seeding deliveries: %w", err)
	}
	if _, err := r.db.CopyFrom(ctx, pgx.Identifier{"delivery_events"}, eventColumns, pgx.CopyFromRows(events(orders))); err != nil {
		return nil, fmt.Errorf("seeding events: %w", err)
	}
	if err := r.seedPositions(ctx, dice, positions, now); err != nil {
		return nil, fmt.Errorf("seeding positions: %w", err)
	}
	_, err = r.db.Exec(ctx, `VACUUM ANALYZE deliveries, delivery_events, positions`)
	return day, err
}

var positionColumns = []string{"courier_id", "recorded_at", "received_at", "lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "battery"}

// seedPositions gives each courier the same number of fixes, evenly over the last four hours, or since midnight when that is less.
func (r *Rig) seedPositions(ctx context.Context, dice *rand.Rand, positions int, now time.Time) error {
	if _, err := r.db.Exec(ctx, `SELECT ensure_position_partitions($1::date, $2::date)`, now.AddDate(0, 0, -1), now.AddDate(0, 0, 1)); err != nil {
		return err
	}
	each := positions / len(r.Fleet)
	if each == 0 {
		return nil
	}
	span := max(10*time.Second, min(4*time.Hour, now.Sub(now.Truncate(24*time.Hour))))
	step := max(time.Millisecond, (span / time.Duration(each)).Truncate(time.Millisecond))
	n := 0
	_, err := r.db.CopyFrom(ctx, pgx.Identifier{"positions"}, positionColumns, pgx.CopyFromFunc(func() ([]any, error) {
		if n == each*len(r.Fleet) {
			return nil, nil
		}
		courier, at := r.Fleet[n/each].ID, now.Add(-step*time.Duration(each-n%each))
		n++
		return []any{
			courier, at, at, 37.74 + 0.06*dice.Float64(), -122.45 + 0.06*dice.Float64(), float32(5), 10 * dice.Float32(), 360 * dice.Float32(), float32(0.7),
		}, nil
	}))
	return err
}
