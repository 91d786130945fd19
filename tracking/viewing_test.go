package tracking

import (
	"context"
	"testing"
	"time"
)

// kept is a Records of one delivery, and counts how often it is asked.
type kept struct {
	sight Sight
	err   error
	asked int
}

func (k *kept) Sight(_ context.Context, delivery ID) (Sight, error) {
	k.asked++
	if k.err == nil && delivery != k.sight.Record.Delivery.ID {
		return Sight{}, Errorf(CodeNotFound, "no such delivery")
	}
	return k.sight, k.err
}

func (k *kept) Record(ctx context.Context, delivery ID) (Record, error) {
	sight, err := k.Sight(ctx, delivery)
	if err != nil {
		return Record{}, err
	}
	return *sight.Record, nil
}

func (k *kept) Fresh(ctx context.Context, delivery ID) (Record, error) {
	return k.Record(ctx, delivery)
}
func (k *kept) NewestOf(context.Context, []ID) ([]*Position, error) { return nil, k.err }

func TestViewing_Show(t *testing.T) {
	t.Parallel()
	linker, err := NewLinker(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	courier := ID{15: 7}
	record := Record{
		Epoch: 1, Courier: Courier{ID: courier, OnDuty: true, Vehicle: Bike},
		Delivery: Delivery{ID: NewID(), Status: EnRoute, Ver: 4, Rev: 9, CourierID: courier, LinkGen: 2},
	}
	token := linker.Token(record.Delivery.ID, 2)
	viewing := func() (*Viewing, *kept) {
		own := record
		k := &kept{sight: Sight{Record: &own, Newest: &Position{Lat: 1, RecordedAt: now}, Live: true}}
		return NewViewing(linker, k, ViewingConfig{Stale: func() time.Time { return now.Add(-time.Minute) }}, func() time.Time { return now }), k
	}
	t.Run("shows what is hot", func(t *testing.T) {
		t.Parallel()
		u, _ := viewing()
		view, live, err := u.Show(t.Context(), token, nil)
		if err != nil || !live || view.Record.Delivery.Ver != 4 || view.Position == nil || view.ETA == nil || !view.StaleSince.Equal(now.Add(-time.Minute)) {
			t.Errorf("got %+v, %v, %v", view, live, err)
		}
	})
	t.Run("hides what may not be seen, and says when a place is old", func(t *testing.T) {
		t.Parallel()
		u, k := viewing()
		k.sight.Record.Delivery.StopsBefore, k.sight.Live = 3, false
		if view, live, err := u.Show(t.Context(), token, nil); err != nil || live || view.Position != nil || view.Why != WhyNotYet {
			t.Errorf("got %+v, %v, %v", view, live, err)
		}
	})
	t.Run("asks nobody for a forgery", func(t *testing.T) {
		t.Parallel()
		u, k := viewing()
		forged := []byte(token)
		forged[3] ^= 1
		if _, _, err := u.Show(t.Context(), string(forged), nil); CodeOf(err) != CodeNotFound || k.asked != 0 {
			t.Errorf("got %v, after %d reads", err, k.asked)
		}
	})
	t.Run("answers everything that opens nothing alike", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*kept){
			"revoked": func(k *kept) { k.sight.Record.Delivery.LinkGen = 3 },
			"over":    func(k *kept) { k.sight.Record.Delivery.FinishedAt = now.Add(-LinkLife) },
			"unknown": func(k *kept) { k.sight.Record.Delivery.ID = NewID() },
		} {
			u, k := viewing()
			change(k)
			if _, _, err := u.Show(t.Context(), token, nil); err != errToken {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := u.Open(t.Context(), token, Seen{}, nil); err != errToken {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("takes its time with everything that opens nothing, a forgery too", func(t *testing.T) {
		t.Parallel()
		for _, token := range []string{"x", token[1:] + "A", linker.Token(NewID(), 2), linker.Token(record.Delivery.ID, 3)} {
			u, _ := viewing()
			came := time.Now()
			if _, _, err := u.Show(t.Context(), token, nil); err != errToken || time.Since(came) < missTime {
				t.Errorf("%s: %v after %v", token, err, time.Since(came))
			}
			came = time.Now()
			if _, err := u.Open(t.Context(), token, Seen{}, nil); err != errToken || time.Since(came) < missTime {
				t.Errorf("%s opened: %v after %v", token, err, time.Since(came))
			}
		}
		u, _ := viewing()
		u.missTime = time.Hour
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := u.Show(gone, "x", nil); err != errToken {
			t.Errorf("whoever has left is waited for: %v", err)
		}
	})
	t.Run("ends with the life of links that the operator wants", func(t *testing.T) {
		t.Parallel()
		for age, opens := range map[time.Duration]bool{time.Hour - 1: true, time.Hour: false} {
			_, k := viewing()
			k.sight.Record.Delivery.FinishedAt = now.Add(-age)
			u := NewViewing(linker, k, ViewingConfig{LinkLife: time.Hour}, func() time.Time { return now })
			u.Beside(func(ID) (View, bool) { return View{Record: k.sight.Record}, true })
			if _, _, err := u.Show(t.Context(), token, nil); (err == nil) != opens {
				t.Errorf("%v after the end: %v", age, err)
			}
			if _, err := u.Open(t.Context(), token, Seen{}, func(ID) *Record { return k.sight.Record }); (err == nil) != opens {
				t.Errorf("opened %v after the end: %v", age, err)
			}
		}
	})
	t.Run("says that the stores are away", func(t *testing.T) {
		t.Parallel()
		u, k := viewing()
		k.err = Unavailable("Redis", nil)
		if _, _, err := u.Show(t.Context(), token, nil); CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
	t.Run("reads nothing of what is watched beside it", func(t *testing.T) {
		t.Parallel()
		u, k := viewing()
		watched := record
		watched.Delivery.Ver = 5
		u.Beside(func(delivery ID) (View, bool) { return View{Record: &watched}, delivery == record.Delivery.ID })
		if view, live, err := u.Show(t.Context(), token, nil); err != nil || !live || view.Record.Delivery.Ver != 5 || k.asked != 0 {
			t.Errorf("got %+v, %v, %v after %d reads", view, live, err, k.asked)
		}
		// It has not heard of the new link yet, which is to open all the same; and the old one is not opened by what is hot.
		k.sight.Record.Delivery.LinkGen = 3
		if view, _, err := u.Show(t.Context(), linker.Token(record.Delivery.ID, 3), nil); err != nil || view.Record.Delivery.Ver != 4 || k.asked != 1 {
			t.Errorf("a new link: %+v, %v after %d reads", view, err, k.asked)
		}
		watched.Delivery.LinkGen = 3
		if _, _, err := u.Show(t.Context(), token, nil); err != errToken {
			t.Errorf("a revoked link: %v", err)
		}
	})
}
