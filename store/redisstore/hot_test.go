package redisstore_test

import (
	"context"
	"errors"
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
	newest   map[tracking.ID]*tracking.Position
	durable  int64
	away     bool
	poison   tracking.ID // no query that asks for it is answered
	asked    atomic.Int64
	largest  atomic.Int64  // the most records one query asked for
	read     atomic.Int64  // records that were answered
	slow     time.Duration // how long Records takes
	hold     chan struct{} // when not nil, Records waits for it
	way      chan struct{} // when not nil, what Records has found waits for it
}

func newTruth() *truth {
	return &truth{
		records: map[tracking.ID]tracking.Record{}, couriers: map[tracking.ID]tracking.Courier{}, newest: map[tracking.ID]*tracking.Position{},
	}
}

// ask begins every answer; the caller unlocks.
func (f *truth) ask() error {
	f.asked.Add(1)
	f.mu.Lock()
	if f.away {
		return tracking.Unavailable("Postgres", nil)
	}
	return nil
}

func (f *truth) Records(_ context.Context, deliveries []tracking.ID) (records []tracking.Record, err error) {
	if f.hold != nil {
		<-f.hold
	}
	if f.way != nil {
		defer func() { <-f.way }()
	}
	defer f.mu.Unlock()
	if err := f.ask(); err != nil {
		return nil, err
	}
	f.largest.Store(max(f.largest.Load(), int64(len(deliveries))))
	if f.slow > 0 {
		<-time.After(f.slow)
	}
	for _, id := range deliveries {
		if id == f.poison {
			return nil, errors.New("a row that cannot be read")
		}
		if r, ok := f.records[id]; ok {
			records = append(records, r)
		}
	}
	f.read.Add(int64(len(records)))
	return records, nil
}

func (f *truth) Revisions(_ context.Context, deliveries []tracking.ID) ([]tracking.Revision, error) {
	defer f.mu.Unlock()
	revisions := make([]tracking.Revision, len(deliveries))
	err := f.ask()
	for i, id := range deliveries {
		record := f.records[id]
		revisions[i] = record.Revision()
	}
	return revisions, err
}

func (f *truth) NewestOf(_ context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	defer f.mu.Unlock()
	positions := make([]*tracking.Position, len(couriers))
	err := f.ask()
	for i, id := range couriers {
		positions[i] = f.newest[id]
	}
	return positions, err
}

func (f *truth) Courier(_ context.Context, _, courier tracking.ID) (tracking.Courier, error) {
	defer f.mu.Unlock()
	if err := f.ask(); err != nil {
		return tracking.Courier{}, err
	}
	c, ok := f.couriers[courier]
	if !ok {
		return c, tracking.Errorf(tracking.CodeNotFound, "no such courier")
	}
	return c, nil
}

func (f *truth) DurableSeq(context.Context, tracking.ID, string) (int64, error) {
	defer f.mu.Unlock()
	if err := f.ask(); err != nil {
		return 0, err
	}
	return f.durable, nil
}

// know adds a record.
func (f *truth) know(r tracking.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records[r.Delivery.ID] = r
}

// hot is a Store over a Redis of its own.
type hot struct {
	*redisstore.Store
	client redis.UniversalClient
	truth  *truth
}

func newHot(t testing.TB) hot {
	t.Helper()
	return newHotAt(t, storetest.RedisURL(t), redisstore.Config{})
}

func newHotAt(t testing.TB, url string, config redisstore.Config) hot {
	t.Helper()
	client, err := redisstore.Connect(url)
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	truth := newTruth()
	return hot{redisstore.New(client, truth, config), client, truth}
}

// away is a Redis that nobody answers for.
const away = "redis://127.0.0.1:1"

// fill leaves no memory for anything new; the function answered gives it back.
func (h hot) fill(t *testing.T) (drain func()) {
	t.Helper()
	must(t, h.client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	return func() { must(t, h.client.ConfigSet(t.Context(), "maxmemory", "0").Err()) }
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

// placement is a batch whose last fix is the newest, or of fixes that are too old to be shown when there is none.
func placement(c tracking.Courier, newest *tracking.Position, seqs ...int64) tracking.Placement {
	p := tracking.Placement{
		MerchantID: c.MerchantID, Keep: true, Fresh: noon.Add(-time.Hour),
		Batch: tracking.Batch{CourierID: c.ID, Session: "s", ReceivedAt: noon},
	}
	if newest == nil {
		newest, p.Fresh = fix(0), noon.Add(time.Hour)
	} else if len(seqs) == 0 {
		seqs = []int64{0}
	}
	for i, seq := range seqs {
		f := tracking.Fix{Seq: seq, Position: *newest}
		f.Position.RecordedAt = newest.RecordedAt.Add(time.Duration(i-len(seqs)+1) * time.Millisecond)
		p.Batch.Fixes = append(p.Batch.Fixes, f)
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

// newest is where a courier is, as it is shown.
func (h hot) newest(ctx context.Context, courier tracking.ID) (*tracking.Position, error) {
	newest, err := h.NewestOf(ctx, []tracking.ID{courier})
	if err != nil {
		return nil, err
	}
	return newest[0], nil
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
