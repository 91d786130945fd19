package redisstore_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// truth stands in for Postgres and counts how often it is asked.
type truth struct {
	mu       sync.Mutex
	records  map[tracking.ID]tracking.Record
	couriers map[tracking.ID]tracking.Courier
	durable  int64
	away     bool
	asked    atomic.Int64
	hold     chan struct{} // when not nil, Record waits for it
}

func newTruth() *truth {
	return &truth{records: map[tracking.ID]tracking.Record{}, couriers: map[tracking.ID]tracking.Courier{}}
}

func (f *truth) Record(_ context.Context, delivery tracking.ID) (tracking.Record, error) {
	f.asked.Add(1)
	if f.hold != nil {
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return tracking.Record{}, tracking.Unavailable("Postgres", nil)
	}
	r, ok := f.records[delivery]
	if !ok {
		return r, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return r, nil
}

func (f *truth) Courier(_ context.Context, _, courier tracking.ID) (tracking.Courier, error) {
	f.asked.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return tracking.Courier{}, tracking.Unavailable("Postgres", nil)
	}
	c, ok := f.couriers[courier]
	if !ok {
		return c, tracking.Errorf(tracking.CodeNotFound, "no such courier")
	}
	return c, nil
}

func (f *truth) DurableSeq(context.Context, tracking.ID, string) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return 0, tracking.Unavailable("Postgres", nil)
	}
	return f.durable, nil
}

// hot is a Store over a Redis of its own.
type hot struct {
	*redisstore.Store
	client redis.UniversalClient
	truth  *truth
}

func newHot(t *testing.T) hot {
	t.Helper()
	client, err := redisstore.Connect(storetest.RedisURL(t))
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	truth := newTruth()
	return hot{redisstore.New(client, truth), client, truth}
}

// courier makes one who is on duty, known to the truth alone.
func (h hot) courier() tracking.Courier {
	c := tracking.Courier{ID: tracking.NewID(), MerchantID: tracking.NewID(), Name: "Sam", Vehicle: tracking.Bike, OnDuty: true, Rev: 2}
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	h.truth.couriers[c.ID] = c
	return c
}

// listen subscribes to channels and has it confirmed. The function answers what has arrived on them so far.
func (h hot) listen(t *testing.T, channels ...string) (arrived func() []*redis.Message) {
	t.Helper()
	const end = "end of listening"
	sub := h.client.Subscribe(t.Context(), append(channels, end)...)
	t.Cleanup(func() { _ = sub.Close() })
	for range len(channels) + 1 {
		_, err := sub.ReceiveTimeout(t.Context(), patience)
		must(t, err)
	}
	return func() (messages []*redis.Message) {
		t.Helper()
		// What was published before arrives before.
		must(t, h.client.Publish(t.Context(), end, "").Err())
		for {
			m, err := sub.ReceiveTimeout(t.Context(), patience)
			must(t, err)
			message := m.(*redis.Message)
			if message.Channel == end {
				return messages
			}
			messages = append(messages, message)
		}
	}
}

const patience = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second))).Truncate(time.Millisecond)
}

func fix(seconds float64) *tracking.Position {
	return &tracking.Position{RecordedAt: at(seconds), Lat: 37.78, Lon: -122.41}
}

func placement(c tracking.Courier, newest *tracking.Position, seqs ...int64) tracking.Placement {
	p := tracking.Placement{
		MerchantID: c.MerchantID, Newest: newest, Keep: true,
		Batch: tracking.Batch{CourierID: c.ID, Session: "s", ReceivedAt: noon},
	}
	for _, seq := range seqs {
		p.Batch.Fixes = append(p.Batch.Fixes, tracking.Fix{Seq: seq, Position: *fix(float64(seq))})
	}
	return p
}

func record(rev int64) tracking.Record {
	return tracking.Record{
		Epoch: 1, Merchant: tracking.Merchant{ID: tracking.NewID(), Name: "Corner Kitchen", VisibleStops: 2},
		Delivery: tracking.Delivery{ID: tracking.NewID(), Status: tracking.Created, Ver: 1, Rev: rev, CreatedAt: noon, UpdatedAt: noon},
		Events:   []tracking.Event{{Ver: 1, Status: tracking.Created, At: noon, Actor: tracking.Actor{Role: tracking.RoleMerchant}}},
	}
}

func (h hot) waiting(t *testing.T, courier tracking.ID) int64 {
	t.Helper()
	n, err := h.client.XLen(t.Context(), key.Positions(key.Partition(courier))).Result()
	must(t, err)
	return n
}

func encoded(t *testing.T, r tracking.Record) string {
	t.Helper()
	b, err := wire.MarshalRecord(r)
	must(t, err)
	return string(b)
}
