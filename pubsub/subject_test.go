package pubsub

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// Two couriers of one partition have more in the backlog than a page, and a worker has some of it in hand: one courier's goes, and the count with it.
func TestEraseWaiting(t *testing.T) {
	t.Parallel()
	client := storetest.Redis(t)
	leaving, staying := tracking.NewID(), tracking.NewID()
	for key.Partition(staying) != key.Partition(leaving) {
		staying = tracking.NewID()
	}
	stream, counter := key.Positions(key.Partition(leaving)), key.BacklogBytes(key.Partition(leaving))
	kept := int64(0)
	add := func(courier tracking.ID, seq int64) {
		t.Helper()
		payload := wire.AppendBatch(nil, tracking.Batch{CourierID: courier, Session: "a", ReceivedAt: time.Now(), Settled: []int64{seq}})
		must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{field, payload}}).Err())
		must(t, client.IncrBy(t.Context(), counter, int64(len(payload))).Err())
		if courier == staying {
			kept += int64(len(payload))
		}
	}
	worker := newBacklog(client, "worker")
	for seq := range int64(ofSubject + 10) {
		add(leaving, seq+1)
		if seq%100 == 0 {
			add(staying, seq+1)
		}
	}
	must(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: []any{field, "nonsense"}}).Err())
	inHand, err := worker.Read(t.Context(), 20)
	must(t, err)
	seqs := int64(0)
	must(t, WaitingOf(t.Context(), client, leaving, func(b tracking.Batch) error {
		if seqs++; b.Settled[0] != seqs {
			t.Errorf("batch %d is %v", seqs, b.Settled)
		}
		return nil
	}))
	if seqs != ofSubject+10 {
		t.Errorf("%d batches wait", seqs)
	}
	if n, err := EraseWaiting(t.Context(), client, leaving); err != nil || n != ofSubject+10 {
		t.Errorf("%d are erased, %v", n, err)
	}
	if n := client.XLen(t.Context(), stream).Val(); n != 7 {
		t.Errorf("%d entries are left, want the other courier's 6 and one of nobody", n)
	}
	if n, err := client.Get(t.Context(), counter).Int64(); err != nil || n != kept {
		t.Errorf("the count says %d bytes, %v, want %d", n, err, kept)
	}
	// What the worker had in hand is settled already, which is no error and is not counted twice.
	must(t, worker.Ack(t.Context(), inHand))
	if n, err := EraseWaiting(t.Context(), client, leaving); err != nil || n != 0 {
		t.Errorf("again %d, %v", n, err)
	}
}
