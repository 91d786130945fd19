package pubsub

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func TestFeed(t *testing.T) {
	t.Parallel()
	client := connect(t, storetest.RedisURL(t))
	s := NewSubscriber(client, silent)
	s.sweepEvery = 20 * time.Millisecond
	run(t, s.Run)
	log := newJournal()
	feed := NewFeed(s, log.logger())

	merchant, courier := tracking.NewID(), tracking.NewID()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	position := tracking.Position{RecordedAt: at, Lat: 1, Lon: 2, Pace: tracking.Read(4)}
	newest := append(wire.AppendPosition(nil, position), 0x40, 0x80, 0, 0) // the pace: 4
	record := tracking.Record{
		Epoch: 1, Merchant: tracking.Merchant{ID: merchant, Name: "Corner Kitchen"},
		Delivery: tracking.Delivery{ID: tracking.NewID(), MerchantID: merchant, Status: tracking.Created, Ver: 1, Rev: 1, CreatedAt: at, UpdatedAt: at},
	}
	encoded, err := wire.MarshalRecord(record)
	must(t, err)
	staff, err := wire.FleetCourier(tracking.Courier{ID: courier, Name: "Sam", Vehicle: tracking.Bike, OnDuty: true, Rev: 3})
	must(t, err)
	var hash [32]byte
	hash[0], hash[31] = 1, 2

	e := newEar()
	live := func(bool) {}
	record2 := func(r tracking.Record) { e.note(fmt.Sprint("record ", r.Delivery.ID)) }
	watches := []Watch{
		feed.Delivery(record.Delivery.ID, record2, live),
		feed.Courier(courier, func(p tracking.Position) { e.note(fmt.Sprint("position ", p.Lat, p.Lon, p.Pace.Value)) }, func() {}, live),
		feed.Jobs(courier, func() { e.note("jobs") }, live),
		feed.Revoked(func(h [32]byte) { e.note(fmt.Sprint("revoked ", h == hash)) }, live),
	}
	watches = append(watches, feed.Fleet(merchant,
		func(id tracking.ID, p tracking.Position) { e.note(fmt.Sprint("fleet position ", id == courier, p.Lat)) },
		func(r tracking.Record) { e.note(fmt.Sprint("fleet record ", r.Delivery.ID)) },
		func(c tracking.Courier) { e.note(fmt.Sprint("fleet courier ", c.Name, c.OnDuty, c.Rev)) }, live)...)
	for _, w := range watches {
		select {
		case <-w.Ready():
		case <-time.After(patience):
			t.Fatal("a watch is not confirmed")
		}
	}
	if want := 4 + key.Partitions; len(watches) != want {
		t.Errorf("%d watches, want %d", len(watches), want)
	}

	for _, step := range []struct {
		channel string
		payload []byte
		heard   string
	}{
		{key.Delivery(record.Delivery.ID), encoded, fmt.Sprint("record ", record.Delivery.ID)},
		{key.Courier(courier), newest, "position 1 2 4"},
		{key.Jobs(courier), nil, "jobs"},
		{key.Control, []byte(hex.EncodeToString(hash[:])), "revoked true"},
		{key.Fleet(3, merchant), append(wire.AppendFleetPositionPrefix(nil, courier), newest...), "fleet position true 1"},
		{key.Fleet(63, merchant), wire.FleetRecord(encoded), fmt.Sprint("fleet record ", record.Delivery.ID)},
		{key.Fleet(0, merchant), staff, "fleet courier Samtrue 3"},
	} {
		for _, bad := range []string{"", "x", "{}", "0102", strings.Repeat("00", 40), strings.Repeat("zz", 32), `{"v":99}`} {
			if step.payload != nil {
				mustPublish(t, client, step.channel, bad, 1)
			}
		}
		mustPublish(t, client, step.channel, string(step.payload), 1)
		e.hears(t, step.heard, 1)
		if step.payload != nil && !strings.Contains(log.String(), step.channel) {
			t.Errorf("what could not be read on %s was not logged", step.channel)
		}
	}
	heard := e.await(t, "everything", func([]string) bool { return true })
	if len(heard) != 7 {
		t.Errorf("heard %q: what cannot be read must be skipped", heard)
	}
	must(t, NewControl(client).Revoke(t.Context(), [][32]byte{hash}))
	e.hears(t, "revoked true", 2)
	for _, w := range watches {
		w.Close()
	}
	awaitChannels(t, client, 0)
}
