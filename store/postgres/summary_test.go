package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// past is a delivery as it was left on some day; nil times are none.
type past struct {
	status           tracking.Status
	created          time.Time
	window, finished *time.Time
	courier          *tracking.ID
	reported         *time.Time // when its courier said something of it
}

func (s shop) insert(t *testing.T, merchant tracking.ID, p past) {
	t.Helper()
	id := tracking.NewID()
	_, err := s.pool.Exec(t.Context(), `INSERT INTO deliveries (id, merchant_id, status, ver, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon,
		window_to, created_at, updated_at, finished_at) VALUES ($1, $2, $3, 1, $4, 1, 2, 3, 4, $5, $6, $6, $7)`,
		id, merchant, p.status, p.courier, p.window, p.created, p.finished)
	must(t, err)
	_, err = s.pool.Exec(t.Context(), `INSERT INTO delivery_events (delivery_id, ver, status, at, actor_kind) VALUES ($1, 1, 'created', $2, 'merchant')`, id, p.created)
	must(t, err)
	if p.reported != nil {
		_, err = s.pool.Exec(t.Context(), `INSERT INTO delivery_events (delivery_id, ver, status, at, actor_kind, actor_id, courier_id)
			VALUES ($1, 2, 'picked_up', $2, 'courier', $3, $3)`, id, p.reported, p.courier)
		must(t, err)
	}
}

// The statement says what is found by looking at one delivery after another.
func TestStore_Summary(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	other, err := s.Merchant(t.Context(), "Another kitchen", now())
	must(t, err)
	midnight := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	must(t, s.EnsurePartitions(t.Context(), midnight.Add(-48*time.Hour), midnight.Add(48*time.Hour)))
	couriers := []tracking.Courier{s.courier, s.hire(t, "Kim"), s.hire(t, "Max"), s.hire(t, "Ada"), s.hire(t, "Bob")}
	random := rand.New(rand.NewPCG(1, 2))
	around := func() time.Time {
		return midnight.Add(time.Duration(random.Int64N(int64(72*time.Hour))) - 24*time.Hour)
	}
	var want tracking.Summary
	var minutes []float64
	active := map[tracking.ID]bool{}
	on := func(at time.Time) bool { return !at.Before(midnight) && at.Before(midnight.Add(24*time.Hour)) }
	for i := range 400 {
		p := past{status: tracking.Statuses[random.IntN(len(tracking.Statuses))], created: around()}
		switch i { // the edges of the day
		case 0:
			p.created = midnight
		case 1:
			p.created = midnight.Add(24 * time.Hour)
		}
		if random.IntN(4) > 0 {
			window := p.created.Add(30 * time.Minute)
			p.window = &window
		}
		switch p.status {
		case tracking.Delivered, tracking.Cancelled, tracking.Returned:
			finished := p.created.Add(time.Duration(random.IntN(60)) * time.Minute)
			p.finished = &finished
		}
		if p.status != tracking.Created && p.status != tracking.Cancelled {
			p.courier = &couriers[random.IntN(3)].ID
			if random.IntN(2) == 0 {
				reported := p.created.Add(time.Duration(random.IntN(20)) * time.Hour)
				p.reported = &reported
			}
		}
		if random.IntN(5) == 0 {
			s.insert(t, other.ID, p)
			continue
		}
		s.insert(t, s.merchant, p)
		if !on(p.created) {
			continue
		}
		want.Created++
		switch p.status {
		case tracking.Delivered:
			want.Delivered++
			minutes = append(minutes, p.finished.Sub(p.created).Minutes())
			if p.window != nil && p.finished.After(*p.window) {
				want.Late++
			} else if p.window != nil {
				want.OnTime++
			}
		case tracking.Failed:
			want.Failed++
		case tracking.Cancelled:
			want.Cancelled++
		case tracking.Returned:
			want.Returned++
		default:
			want.InProgress++
		}
		if p.reported != nil && on(*p.reported) {
			active[*p.courier] = true
		}
	}
	// One who carried nothing but was on the way, and one who was on the days before and after.
	for courier, at := range map[int][]time.Time{3: {midnight}, 4: {midnight.Add(-time.Millisecond), midnight.Add(24 * time.Hour)}} {
		batch := tracking.Batch{CourierID: couriers[courier].ID, ReceivedAt: now()}
		for _, at := range at {
			batch.Fixes = append(batch.Fixes, tracking.Fix{Position: tracking.Position{RecordedAt: at, Lat: 1, Lon: 2}})
		}
		_, err := s.Store.Store(t.Context(), []tracking.Batch{batch})
		must(t, err)
	}
	active[couriers[3].ID] = true
	want.ActiveCouriers = len(active)
	got, err := s.Summary(t.Context(), s.merchant, midnight)
	must(t, err)
	slices.Sort(minutes)
	if median := between(minutes, 0.5); got.Median == nil || *got.Median != median {
		t.Errorf("the median is %v, want %v", got.Median, median)
	}
	if p90 := between(minutes, 0.9); got.P90 == nil || *got.P90-p90 > 1e-9 || p90-*got.P90 > 1e-9 {
		t.Errorf("nine tenths took up to %v, want %v", got.P90, p90)
	}
	if age := time.Since(got.AsOf); age < 0 || age > time.Minute {
		t.Errorf("it is as of %v", got.AsOf)
	}
	got.Median, got.P90, got.AsOf = nil, nil, time.Time{}
	if got != want || want.OnTime == 0 || want.Late == 0 || want.InProgress == 0 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	empty, err := s.Summary(t.Context(), tracking.NewID(), midnight)
	must(t, err)
	if empty.AsOf = (time.Time{}); empty != (tracking.Summary{}) {
		t.Errorf("of nothing: %+v", empty)
	}
}

// between is the continuous percentile of sorted values.
func between(sorted []float64, share float64) float64 {
	at := share * float64(len(sorted)-1)
	low := int(at)
	if low+1 == len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// It must not look at other days, whatever their number.
func TestStore_Summary_plan(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	midnight := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	must(t, s.EnsurePartitions(t.Context(), midnight, midnight))
	// Who made each of them is of no interest, and takes its time.
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE deliveries DISABLE TRIGGER audit`)
	must(t, err)
	const days, ofOne = 34, 24 * 60
	for day := range days { // all at once would take longer than a statement may, on a busy machine
		_, err = s.pool.Exec(t.Context(), `INSERT INTO deliveries (id, merchant_id, status, ver, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, created_at, updated_at)
		SELECT gen_random_uuid(), $1, 'created', 1, 1, 2, 3, 4, $2::timestamptz - n * interval '1 minute', $2 FROM generate_series(1, $3) n`,
			s.merchant, midnight.AddDate(0, 0, -day), ofOne)
		must(t, err)
	}
	_, err = s.pool.Exec(t.Context(), `VACUUM ANALYZE deliveries, delivery_events`)
	must(t, err)
	rows, err := s.pool.Query(context.WithoutCancel(t.Context()), `EXPLAIN (ANALYZE, BUFFERS) `+constants(t)["summarySQL"], s.merchant, midnight, midnight.Add(24*time.Hour))
	must(t, err)
	var plan strings.Builder
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		fmt.Fprintln(&plan, text)
	}
	must(t, rows.Err())
	if !strings.Contains(plan.String(), "deliveries_by_merchant_day") || strings.Contains(plan.String(), "Seq Scan on deliveries") {
		t.Errorf("the plan is\n%s", plan.String())
	}
}
