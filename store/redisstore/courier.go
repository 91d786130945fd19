package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

//go:embed courier.lua
var courierLua string

var courierScript = redis.NewScript(courierLua)

var errBehind = errors.New("it holds a later epoch than this node knows of")

// KeepCourier implements tracking.Announcer. A courier who goes off duty leaves the map: their position and place in "near" are forgotten.
func (s *Store) KeepCourier(ctx context.Context, c tracking.Courier) error {
	epoch := s.epoch.Load()
	message, err := wire.FleetCourier(c)
	if err != nil {
		return err
	}
	kept, err := s.keepCourier(ctx, epoch, s.runsNow(), c, key.Fleet(key.Partition(c.ID), c.MerchantID), message)
	if err == nil && kept < 0 {
		// Whether this is news cannot be told until this node hears of the epoch. It must not get lost: who went off duty may not be seen.
		err = unavailable(errBehind)
	}
	return err
}

func (s *Store) keepCourier(ctx context.Context, epoch int64, runs *Runs, c tracking.Courier, channel string, message []byte) (kept int, err error) {
	partition := key.Partition(c.ID)
	duty := "0"
	if c.OnDuty {
		duty = "1"
	}
	keys := []string{key.Courier(c.ID), key.Geo(partition, c.MerchantID)}
	calls := []call{{courierScript, keys, []any{epoch, c.Rev, duty, ttl(), c.ID.String(), runs[partition], channel, message, s.publish}}}
	if channel != "" {
		calls = append([]call{s.bump(c.MerchantID, "")}, calls...)
	}
	answers, err := s.runCalls(ctx, calls)
	if err != nil {
		return 0, err
	}
	return answers[len(calls)-1].Int()
}

func (s *Store) loadCourier(ctx context.Context, merchant, courier tracking.ID) error {
	// Before the truth is read: what it answers is at least of this epoch, and true of this run.
	epoch, runs := s.epoch.Load(), s.runsNow()
	c, err := s.truth.Courier(ctx, merchant, courier)
	if err != nil {
		return err
	}
	_, err = s.keepCourier(ctx, epoch, runs, c, "", nil)
	return err
}

// NewestOf reads the newest positions of many couriers, in their order, in one round trip; nil where none is known. With Redis away they come from the
// truth, and are as old as its last commit. Errors: CodeUnavailable (both stores are away).
func (s *Store) NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	positions, err := s.newest(ctx, couriers)
	if err != nil {
		return s.truth.NewestOf(ctx, couriers)
	}
	return positions, nil
}

// newest reads positions from Redis. The truth may have newer ones than those that are left of another run.
func (s *Store) newest(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	positions, old, err := s.newestHot(ctx, couriers)
	if err != nil || len(old) == 0 {
		return positions, err
	}
	ids := make([]tracking.ID, len(old))
	for i, at := range old {
		ids[i] = couriers[at]
	}
	stored, err := s.truth.NewestOf(ctx, ids)
	if err != nil {
		return positions, nil // with the truth away this is all that there is
	}
	for i, at := range old {
		if p := positions[at]; p == nil || stored[i] != nil && stored[i].RecordedAt.After(p.RecordedAt) {
			positions[at] = stored[i]
		}
	}
	return positions, nil
}

// newestHot also answers which of them are left of another run.
func (s *Store) newestHot(ctx context.Context, couriers []tracking.ID) (positions []*tracking.Position, old []int, err error) {
	positions = make([]*tracking.Position, len(couriers))
	if len(couriers) == 0 {
		return positions, nil, nil
	}
	runs := s.runsNow()
	pipe := s.client.Pipeline()
	for _, id := range couriers {
		pipe.HMGet(ctx, key.Courier(id), "pos", "posrun")
	}
	replies, _ := pipe.Exec(ctx)
	if err := firstFailure(replies); err != nil {
		return nil, nil, unavailable(err)
	}
	for i, r := range replies {
		kept := r.(*redis.SliceCmd).Val()
		positions[i] = position(kept[0])
		if leftover(kept[1], runs[key.Partition(couriers[i])]) {
			old = append(old, i)
		}
	}
	return positions, old, nil
}

// position reads the field pos; nil when there is none that can be read.
func position(kept any) *tracking.Position {
	text, _ := kept.(string)
	if p, err := wire.Position([]byte(text)); err == nil {
		return &p
	}
	return nil
}

// Near finds a merchant's couriers within a radius in metres, the nearest first, at most limit. Errors: CodeUnavailable.
func (s *Store) Near(ctx context.Context, merchant tracking.ID, lat, lon, radiusM float64, limit int) ([]tracking.Nearby, error) {
	pipe := s.client.Pipeline()
	var replies [key.Partitions]*redis.GeoSearchLocationCmd
	for p := range replies {
		replies[p] = pipe.GeoSearchLocation(ctx, key.Geo(p, merchant), &redis.GeoSearchLocationQuery{
			GeoSearchQuery: redis.GeoSearchQuery{Longitude: lon, Latitude: max(-85, min(85, lat)), Radius: radiusM, RadiusUnit: "m", Sort: "ASC", Count: limit},
			WithDist:       true,
		})
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable(err)
	}
	var near []tracking.Nearby
	for _, r := range replies {
		for _, hit := range r.Val() {
			if id, err := tracking.ParseID(hit.Name); err == nil {
				near = append(near, tracking.Nearby{CourierID: id, DistanceM: hit.Dist})
			}
		}
	}
	return nearest(near, limit), nil
}

// nearest merges what the partitions found.
func nearest(near []tracking.Nearby, limit int) []tracking.Nearby {
	slices.SortFunc(near, func(a, b tracking.Nearby) int { return cmp.Compare(a.DistanceM, b.DistanceM) })
	return near[:min(len(near), limit)]
}
