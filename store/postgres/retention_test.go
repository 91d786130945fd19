package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// days lists the tables of positions, attached or not.
func (s shop) days(t *testing.T) []string {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^positions_[0-9]{8}$' ORDER BY relname`)
	must(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return names
}

// on makes a batch with one fix on a day.
func on(courier tracking.ID, day tracking.Day, seq int64) tracking.Batch {
	b := batchOf(courier, "a", seq)
	b.Fixes[0].Position.RecordedAt = day.Start().Add(12 * time.Hour)
	return b
}

func tableOf(day tracking.Day) string { return "positions_" + day.Start().Format("20060102") }

func TestStore_DropDays(t *testing.T) {
	t.Parallel()
	today := tracking.DayOf(time.Now())
	filled := func(t *testing.T) shop {
		t.Helper()
		s := newShop(t)
		for back := range tracking.Day(4) {
			_, err := s.Store.Store(t.Context(), []tracking.Batch{on(s.courier.ID, today-back, int64(back)+1)})
			must(t, err)
		}
		return s
	}
	t.Run("takes whole days and leaves the others, a few at a time", func(t *testing.T) {
		t.Parallel()
		s := filled(t)
		for _, want := range []int{1, 1, 0} {
			if n, err := s.DropDays(t.Context(), today-1, 1); err != nil || n != want {
				t.Fatalf("%d days, %v, want %d", n, err, want)
			}
		}
		if left := s.days(t); len(left) != 2 || left[0] != tableOf(today-1) {
			t.Errorf("left are %v", left)
		}
		if n := s.points(t, s.courier.ID); n != 2 {
			t.Errorf("%d positions are left, want those of two days", n)
		}
		// What a phone has kept for that day is stored all the same, and goes with the next round.
		_, err := s.Store.Store(t.Context(), []tracking.Batch{on(s.courier.ID, today-3, 9)})
		must(t, err)
		if n, err := s.DropDays(t.Context(), today-1, 9); err != nil || n != 1 || s.points(t, s.courier.ID) != 2 {
			t.Errorf("afterwards %d days, %v, and %d positions", n, err, s.points(t, s.courier.ID))
		}
	})
	t.Run("gives up behind a long reader, lets others store meanwhile, and goes on where it stopped", func(t *testing.T) {
		t.Parallel()
		s := filled(t)
		reader, err := s.pool.Begin(t.Context())
		must(t, err)
		defer func() { _ = reader.Rollback(context.WithoutCancel(t.Context())) }()
		_, err = reader.Exec(t.Context(), "SELECT FROM positions")
		must(t, err)
		gaveUp := make(chan error, 1)
		go func() {
			_, err := s.DropDays(t.Context(), today, 9)
			gaveUp <- err
		}()
		stored := int64(0)
		for waiting := true; waiting; {
			select {
			case err = <-gaveUp:
				waiting = false
			default:
				stored++
				began := time.Now()
				_, err := s.Store.Store(t.Context(), []tracking.Batch{on(s.phone.CourierID, today, 100+stored)})
				must(t, err)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("a report of today waited %v", took)
				}
			}
		}
		wantCode(t, err, tracking.CodeUnavailable)
		must(t, s.EnsurePartitions(t.Context(), (today+1).Start(), (today+1).Start()))
		must(t, reader.Commit(t.Context()))
		// The day that is half gone is no fault of what comes for it.
		_, err = s.Store.Store(t.Context(), []tracking.Batch{on(s.courier.ID, today-3, 50)})
		if tracking.CodeOf(err) == tracking.CodeInvalid {
			t.Errorf("what comes for a day that is being taken away is put aside: %v", err)
		}
		if n, err := s.DropDays(t.Context(), today, 9); err != nil || n != 3 {
			t.Errorf("then %d days, %v, want 3", n, err)
		}
		if left := s.days(t); len(left) != 2 || left[0] != tableOf(today) {
			t.Errorf("left are %v", left)
		}
	})
	t.Run("drops a day that was detached by one who then died", func(t *testing.T) {
		t.Parallel()
		s := filled(t)
		_, err := s.pool.Exec(t.Context(), "ALTER TABLE positions DETACH PARTITION "+tableOf(today-2))
		must(t, err)
		if n, err := s.DropDays(t.Context(), today-1, 9); err != nil || n != 2 || len(s.days(t)) != 2 {
			t.Errorf("%d days, %v, left are %v", n, err, s.days(t))
		}
	})
}

func TestStore_Redact(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	draft := tracking.Draft{
		Pickup: shopPlace, Dropoff: tracking.Place{Lat: 37.761, Lon: -122.437, Address: "9 Secret Street", Name: "Hidden House"},
		Recipient: tracking.Recipient{Name: "Mina Vogel", Phone: "+49 170 5550199"}, Note: "ring twice", CourierID: s.courier.ID, ExternalID: "order-7",
	}
	make := func(key string) tracking.Record {
		draft.ExternalID = key
		r, err := s.dispatch().Create(t.Context(), s.actor, draft, tracking.Once{Key: key, Hash: tracking.HashOf([]byte(key))})
		must(t, err)
		return r
	}
	ended, open := make("order-7"), make("order-8")
	for _, status := range []tracking.Status{tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.Delivered} {
		move := tracking.Move{To: status, ClientID: string(status), Actor: s.phone, Where: &tracking.Position{Lat: 37.7612, Lon: -122.4371}}
		if status == tracking.Delivered {
			move.Proof = tracking.Proof{LeftAt: "neighbour", Name: "Jo Winter"}
		}
		_, err := s.dispatch().Report(t.Context(), s.phone, ended.Delivery.ID, move)
		must(t, err)
	}
	if ids, err := s.Redact(t.Context(), now().Add(-time.Minute), 10); err != nil || len(ids) != 0 {
		t.Fatalf("%v, %v before its time", ids, err)
	}
	before, err := s.Record(t.Context(), ended.Delivery.ID)
	must(t, err)
	ids, err := s.Redact(t.Context(), now().Add(time.Minute), 10)
	if err != nil || len(ids) != 1 || ids[0] != ended.Delivery.ID {
		t.Fatalf("redacted are %v, %v", ids, err)
	}
	after, err := s.Record(t.Context(), ended.Delivery.ID)
	must(t, err)
	d := after.Delivery
	if (d.Pickup != tracking.Place{}) || (d.Dropoff != tracking.Place{}) || (d.Recipient != tracking.Recipient{}) || d.Note != "" {
		t.Errorf("left are %+v", d)
	}
	if d.ExternalID != "order-7" || d.Status != tracking.Delivered || d.CourierID != s.courier.ID || !d.FinishedAt.Equal(before.Delivery.FinishedAt) || d.Rev <= before.Delivery.Rev {
		t.Errorf("the books say %+v", d)
	}
	if len(after.Events) != len(before.Events) {
		t.Errorf("%d events, want %d", len(after.Events), len(before.Events))
	}
	for _, e := range after.Events {
		if e.Reason != "" || (e.Proof != tracking.Proof{}) || e.ClientID != "" || e.At.IsZero() {
			t.Errorf("an event says %+v", e)
		}
	}
	var places, keys, unpublished int
	must(t, s.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM delivery_events WHERE lat IS NOT NULL), (SELECT count(*) FROM idempotency_keys),
		(SELECT count(*) FROM deliveries WHERE id = $1 AND published_rev < rev)`, d.ID).Scan(&places, &keys, &unpublished))
	if places != 0 || keys != 1 || unpublished != 0 {
		t.Errorf("%d places of events and %d keys are left, and %d would be announced", places, keys, unpublished)
	}
	if kept, err := s.Record(t.Context(), open.Delivery.ID); err != nil || kept.Delivery.Recipient != draft.Recipient {
		t.Errorf("of one under way is left %+v, %v", kept.Delivery, err)
	}
	if ids, err := s.Redact(t.Context(), now().Add(time.Minute), 10); err != nil || len(ids) != 0 {
		t.Errorf("again %v, %v", ids, err)
	}
}

func TestStore_DropLabels(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	long, soon := now().AddDate(0, 0, -10), now().Add(time.Hour)
	for _, k := range []struct {
		label            string
		expires, revoked time.Time
	}{
		{"goes: revoked", time.Time{}, long},
		{"goes: expired", long, time.Time{}},
		{"goes: revoked before it would expire", soon, long},
		{"stays: good", time.Time{}, time.Time{}},
		{"stays: good for an hour", soon, time.Time{}},
		{"stays: revoked now", time.Time{}, now()},
	} {
		key, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, k.label)
		key.ExpiresAt = k.expires
		must(t, s.CreateKey(t.Context(), key, long))
		if !k.revoked.IsZero() {
			_, err := s.RevokeKey(t.Context(), s.merchant, key.ID, k.revoked)
			must(t, err)
		}
	}
	for _, want := range []int{2, 1, 0} {
		if dropped, err := s.DropLabels(t.Context(), now().AddDate(0, 0, -5), 2); err != nil || dropped != want {
			t.Errorf("dropped %d, %v, want %d", dropped, err, want)
		}
	}
	keys, err := s.KeysOf(t.Context(), s.merchant, tracking.ID{}, 10)
	must(t, err)
	for _, k := range keys {
		if k.Label != "" && k.Label[:4] != "stay" {
			t.Errorf("kept is %q", k.Label)
		}
	}
}
