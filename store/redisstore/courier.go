package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"slices"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

var _ tracking.Duty = (*Store)(nil)

//go:embed courier.lua
var courierLua string

var courierScript = redis.NewScript(courierLua)

// KeepCourier implements tracking.Duty. A courier who goes off duty leaves the map: their position and place in "near" are forgotten.
func (s *Store) KeepCourier(ctx context.Context, c tracking.Courier) error {
	message, err := wire.FleetCourier(c)
	if err != nil {
		return err
	}
	return s.keepCourier(ctx, c, key.Fleet(key.Partition(c.ID), c.MerchantID), message)
}

func (s *Store) keepCourier(ctx context.Context, c tracking.Courier, channel string, message []byte) error {
	duty := "0"
	if c.OnDuty {
		duty = "1"
	}
	keys := []string{key.Courier(c.ID), key.Geo(key.Partition(c.ID), c.MerchantID)}
	return unavailable(courierScript.Run(ctx, s.client, keys, c.Rev, duty, int(ttl().Seconds()), c.ID.String(), channel, message).Err())
}

func (s *Store) loadCourier(ctx context.Context, merchant, courier tracking.ID) error {
	c, err := s.truth.Courier(ctx, merchant, courier)
	if err != nil {
		return err
	}
	return s.keepCourier(ctx, c, "", nil)
}

// Newest reads a courier's newest position; nil when none is known. Errors: CodeUnavailable.
func (s *Store) Newest(ctx context.Context, courier tracking.ID) (*tracking.Position, error) {
	positions, err := s.NewestOf(ctx, []tracking.ID{courier})
	if err != nil {
		return nil, err
	}
	return positions[0], nil
}

// NewestOf reads the newest positions of many couriers, in their order, in one round trip; nil where none is known. Errors: CodeUnavailable.
func (s *Store) NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	pipe := s.client.Pipeline()
	replies := make([]*redis.StringCmd, len(couriers))
	for i, id := range couriers {
		replies[i] = pipe.HGet(ctx, key.Courier(id), "pos")
	}
	if len(couriers) > 0 {
		if _, err := pipe.Exec(ctx); err != nil && err != redis.Nil {
			return nil, unavailable(err)
		}
	}
	positions := make([]*tracking.Position, len(couriers))
	for i, r := range replies {
		if b, err := r.Bytes(); err == nil {
			if p, err := wire.Position(b); err == nil {
				positions[i] = &p
			}
		}
	}
	return positions, nil
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
