package postgres

import (
	"context"
	"time"

	"hotfoot/tracking"
)

var _ tracking.Duties = (*Store)(nil)

// recentAge is how far back a fix is judged by: what is older allows for a jump across a city and more.
const recentAge = 10 * time.Minute

// Two ways down the primary key a courier, in the one or two days that the bounds leave: to the newest that is believed, and to the two newest since that are
// too far from it. A third would have been believed, if they agreed; and what came before the believed one says nothing, so nobody's minutes are gone through
// in vain for the few that are not.
const onDutySQL = `
SELECT c.n, p.recorded_at, p.lat, p.lon, p.accuracy_m, p.suspect
FROM unnest($1::uuid[]) WITH ORDINALITY c(id, n) JOIN couriers USING (id)
LEFT JOIN LATERAL (
    SELECT recorded_at, lat, lon, accuracy_m, suspect FROM positions
    WHERE courier_id = c.id AND recorded_at > $2 AND recorded_at <= $3 AND suspect IS NULL ORDER BY recorded_at DESC LIMIT 1
) believed ON true
LEFT JOIN LATERAL (
    SELECT believed.recorded_at, believed.lat, believed.lon, believed.accuracy_m, believed.suspect
    UNION ALL
    (SELECT recorded_at, lat, lon, accuracy_m, suspect FROM positions
    WHERE courier_id = c.id AND recorded_at > believed.recorded_at AND recorded_at <= $3 AND suspect = 1 ORDER BY recorded_at DESC LIMIT 2)
) p ON true
WHERE on_duty ORDER BY c.n, p.recorded_at`

// OnDuty implements tracking.Duties.
func (s *Store) OnDuty(ctx context.Context, couriers []tracking.ID) ([]tracking.Duty, error) {
	now := time.Now()
	rows, err := s.db.Query(ctx, onDutySQL, couriers, now.Add(-recentAge), now.Add(tracking.MaxFuture))
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	duties := make([]tracking.Duty, len(couriers))
	for rows.Next() {
		var n int
		var at *time.Time
		var lat, lon *float64
		var accuracy *float32
		var suspect *tracking.Suspicion
		if err := rows.Scan(&n, &at, &lat, &lon, &accuracy, &suspect); err != nil {
			return nil, translate(err)
		}
		duty := &duties[n-1]
		duty.On = true
		if at == nil {
			continue
		}
		p := tracking.Position{RecordedAt: *at, Lat: *lat, Lon: *lon, Suspect: value(suspect)}
		if accuracy != nil {
			p.AccuracyM = tracking.Reading{Value: *accuracy, Known: true}
		}
		duty.Recent = append(duty.Recent, p)
	}
	return duties, translate(rows.Err())
}
