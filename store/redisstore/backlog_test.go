package redisstore_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func TestStore_Place_refuses_a_backlog_that_holds_too_much(t *testing.T) {
	t.Parallel()
	h := newHotAt(t, storetest.RedisURL(t), redisstore.Config{BacklogBytes: key.Partitions * 1000})
	c := h.courier()
	one := int64(len(wire.AppendBatch(nil, placement(c, nil, 1).Batch)))
	taken := int64(0)
	for ; taken*one < 1000; taken++ {
		_, err := h.Place(t.Context(), placement(c, fix(1), taken+1))
		must(t, err)
	}
	counter := key.BacklogBytes(key.Partition(c.ID))
	if n, err := h.client.Get(t.Context(), counter).Int64(); err != nil || n != taken*one || h.waiting(t, c.ID) != taken {
		t.Errorf("%d bytes are counted, %v, want %d", n, err, taken*one)
	}
	wantRefused(t, h, c, "too many positions")

	// What goes to Postgres directly needs no room in the backlog.
	direct := placement(c, fix(2), taken+1)
	direct.Keep = false
	if placed, err := h.Place(t.Context(), direct); err != nil || placed.Moved == 0 {
		t.Errorf("placed %+v, %v", placed, err)
	}
	// A worker has stored one.
	must(t, h.client.DecrBy(t.Context(), counter, one).Err())
	_, err := h.Place(t.Context(), placement(c, nil, taken+2))
	must(t, err)
}

func TestStore_Place_refuses_a_backlog_that_is_too_old(t *testing.T) {
	t.Parallel()
	h := newHotAt(t, storetest.RedisURL(t), redisstore.Config{BacklogAge: time.Hour})
	c := h.courier()
	_, err := h.Place(t.Context(), placement(c, fix(1), 1))
	must(t, err)
	stream, batch := key.Positions(key.Partition(c.ID)), wire.AppendBatch(nil, placement(c, nil, 1).Batch)
	fill := func(age time.Duration, entries int) {
		t.Helper()
		must(t, h.client.Del(t.Context(), stream).Err())
		oldest := time.Now().Add(-age).UnixMilli()
		for i := range entries {
			must(t, h.client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: fmt.Sprintf("%d-%d", oldest, i), Values: []string{"b", string(batch)}}).Err())
		}
		must(t, h.client.Set(t.Context(), key.BacklogBytes(key.Partition(c.ID)), entries*len(batch), 0).Err())
	}
	// A few that nobody takes are a fault of the worker's, and no reason to refuse.
	fill(61*time.Minute, 256)
	_, err = h.Place(t.Context(), placement(c, fix(1), 2))
	must(t, err)
	fill(59*time.Minute, 300)
	_, err = h.Place(t.Context(), placement(c, fix(1), 3))
	must(t, err)
	fill(61*time.Minute, 300)
	wantRefused(t, h, c, "positions have been waiting")
}

// wantRefused places a batch, which must change nothing and tell nobody.
func wantRefused(t *testing.T, h hot, c tracking.Courier, message string) {
	t.Helper()
	before, arrived := dump(t, h.client), h.listen(t, key.Courier(c.ID))
	_, err := h.Place(t.Context(), placement(c, fix(2), 1<<50))
	wantCode(t, err, tracking.CodeOverloaded)
	var refused *tracking.Error
	if errors.As(err, &refused) && (refused.RetryAfter == 0 || refused.Message[:len(message)] != message) {
		t.Errorf("refused with %q, again after %v", refused.Message, refused.RetryAfter)
	}
	if after := dump(t, h.client); !reflect.DeepEqual(before, after) {
		t.Errorf("it changed\n%v\nto\n%v", before, after)
	}
	if messages := arrived(); len(messages) > 0 {
		t.Errorf("viewers were told of what was refused: %v", messages)
	}
}

// A server without memory takes no more batches; but what replaces what it has is taken, and everybody is told.
func TestStore_on_a_full_server(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	c, r := h.courier(), record(1)
	_, err := h.Place(t.Context(), placement(c, fix(1), 1))
	must(t, err)
	must(t, h.Announce(t.Context(), r))
	fleet := key.Fleet(key.Partition(c.ID), c.MerchantID)
	arrived := h.listen(t, key.Courier(c.ID), fleet, key.Delivery(r.Delivery.ID))
	before := dump(t, h.client)
	drain := h.fill(t)
	defer drain()

	_, err = h.Place(t.Context(), placement(c, fix(2), 2))
	wantCode(t, err, tracking.CodeUnavailable)
	if after := dump(t, h.client); !reflect.DeepEqual(before, after) {
		t.Errorf("it changed\n%v\nto\n%v", before, after)
	}
	if messages := arrived(); len(messages) > 0 {
		t.Errorf("viewers were told of what was refused: %v", messages)
	}

	direct := placement(c, fix(2), 2)
	direct.Keep = false
	if placed, err := h.Place(t.Context(), direct); err != nil || placed.Moved == 0 || !placed.Watched {
		t.Errorf("placed %+v, %v", placed, err)
	}
	r.Delivery.Rev++
	must(t, h.Announce(t.Context(), r))
	must(t, h.MarkDurable(t.Context(), []tracking.Mark{{CourierID: c.ID, Session: "s", DurableSeq: 2}}))
	c.OnDuty, c.Rev = false, c.Rev+1
	must(t, h.KeepCourier(t.Context(), c))
	var told []string
	for _, m := range arrived() {
		told = append(told, m.Channel)
	}
	if want := []string{key.Courier(c.ID), fleet, key.Delivery(r.Delivery.ID), fleet}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if durable := h.client.HGet(t.Context(), key.Session(c.ID, "s"), "durable").Val(); durable != "2" {
		t.Errorf("the mark is %q, want 2", durable)
	}
	_, err = h.Place(t.Context(), direct)
	wantCode(t, err, tracking.CodeOffShift)
	if waiting, dropped := h.Owed(); waiting+dropped != 0 {
		t.Errorf("%d marks are owed and %d dropped, want none", waiting, dropped)
	}
}
