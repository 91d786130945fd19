package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// One step down the primary key a courier, in the one or two days that the bounds leave, and one more for each suspect there since.
const newestOfSQL = `
SELECT c.n, p.recorded_at, p.lat, p.lon, p.accuracy_m, p.speed_mps, p.heading_deg, p.altitude_m, p.battery
FROM unnest($1::uuid[]) WITH ORDINALITY c(id, n)
CROSS JOIN LATERAL (
    SELECT * FROM positions WHERE courier_id = c.id AND recorded_at > $2 AND recorded_at <= $3 AND suspect IS NULL ORDER BY recorded_at DESC LIMIT 1
) p`

// NewestOf reads the newest believed positions of many couriers, in their order; nil for one that has none which is fresh enough to be shown. The hot store
// knows better and faster: this is for when it is away. Errors: CodeUnavailable.
func (s *Store) NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	now := time.Now()
	rows, err := s.db.Query(ctx, newestOfSQL, couriers, now.Add(-tracking.LiveAge), now.Add(tracking.MaxFuture))
	if err != nil {
		return nil, translate(err)
	}
	positions := make([]*tracking.Position, len(couriers))
	var n int
	var p tracking.Position
	var readings [5]*float32
	targets := []any{&n, &p.RecordedAt, &p.Lat, &p.Lon, &readings[0], &readings[1], &readings[2], &readings[3], &readings[4]}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		found := tracking.Position{RecordedAt: p.RecordedAt, Lat: p.Lat, Lon: p.Lon}
		for i, reading := range readingsOf(&found) {
			if readings[i] != nil {
				*reading = tracking.Reading{Value: *readings[i], Known: true}
			}
		}
		positions[n-1] = &found
		return nil
	})
	return positions, translate(err)
}
