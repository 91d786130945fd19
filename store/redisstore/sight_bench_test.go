package redisstore

import (
	"context"
	"testing"
	"time"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// noTruth is never asked: everything is hot.
type noTruth struct{ Truth }

func (noTruth) Records(context.Context, []tracking.ID) ([]tracking.Record, error) {
	return nil, tracking.Unavailable("Postgres", nil)
}

// What opening a link costs: the record and then the place, as it was before this process held records, and both at once, with what it holds.
func BenchmarkStore_Sight(b *testing.B) {
	client, err := Connect(storetest.RedisURL(b))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	s := New(client, noTruth{}, Config{})
	courier := tracking.Courier{ID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true}
	now := time.Now()
	records := make([]tracking.Record, 1000)
	for i := range records {
		r := &records[i]
		r.Epoch, r.Courier, r.Merchant = 1, courier, tracking.Merchant{ID: tracking.NewID(), Name: "Corner Kitchen", VisibleStops: 2}
		r.Delivery = tracking.Delivery{ID: tracking.NewID(), Status: tracking.EnRoute, Ver: 4, Rev: 1, CourierID: courier.ID, CreatedAt: now, UpdatedAt: now}
		r.Delivery.Dropoff = tracking.Place{Lat: 37.78, Lon: -122.41, Address: "1 Main Street"}
		for ver, status := range []tracking.Status{tracking.Created, tracking.Assigned, tracking.PickedUp, tracking.EnRoute} {
			r.Events = append(r.Events, tracking.Event{Ver: int64(ver) + 1, Status: status, At: now})
		}
		if err := s.Announce(b.Context(), *r); err != nil {
			b.Fatal(err)
		}
	}
	for _, way := range []struct {
		name string
		read func(id tracking.ID) (record *tracking.Record, newest *tracking.Position, err error)
	}{
		{"apart", func(id tracking.ID) (*tracking.Record, *tracking.Position, error) {
			s.held.drop(id)
			r, err := s.Record(b.Context(), id)
			if err != nil {
				return nil, nil, err
			}
			newest, err := s.NewestOf(b.Context(), []tracking.ID{r.Courier.ID})
			return &r, newest[0], err
		}},
		{"at once", func(id tracking.ID) (*tracking.Record, *tracking.Position, error) {
			sight, err := s.Sight(b.Context(), id)
			return sight.Record, sight.Newest, err
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			for i := range records { // everybody has been here once
				if _, _, err := way.read(records[i].Delivery.ID); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					r, newest, err := way.read(records[i%len(records)].Delivery.ID)
					if err != nil {
						b.Error(err)
						return
					}
					_ = frame.Snapshot(tracking.See(r, newest, now), 0, true, now)
				}
			})
		})
	}
}
