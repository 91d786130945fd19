package postgres_test

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestStore_SetDuty(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	rev := int64(1)
	for i, step := range []struct{ on, changes bool }{{true, true}, {true, false}, {false, true}, {false, false}, {true, true}} {
		c, records, err := s.SetDuty(t.Context(), s.courier.ID, step.on, now())
		must(t, err)
		if step.changes {
			rev++
		}
		if c.OnDuty != step.on || c.Rev != rev {
			t.Errorf("step %d: got %+v, want rev %d", i, c, rev)
		}
		if len(records) != 1 || records[0].Delivery.ID != r.Delivery.ID || records[0].Courier.OnDuty != step.on || records[0].Delivery.Rev <= r.Delivery.Rev {
			t.Errorf("step %d: the stops are %+v", i, records)
		}
	}
	var shifts, open int
	must(t, s.pool.QueryRow(t.Context(), "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM shifts WHERE courier_id = $1", s.courier.ID).Scan(&shifts, &open))
	if shifts != 2 || open != 1 {
		t.Errorf("%d shifts, %d open, want 2 and 1", shifts, open)
	}
	// A clock that went back must not end a shift before it began.
	_, _, err := s.SetDuty(t.Context(), s.courier.ID, false, now().Add(-time.Hour))
	must(t, err)
	_, _, err = s.SetDuty(t.Context(), tracking.NewID(), true, now())
	wantCode(t, err, tracking.CodeNotFound)
}

func TestStore_UpdateCourier(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	c, records, err := s.UpdateCourier(t.Context(), s.merchant, s.courier.ID, func(c tracking.Courier) (tracking.Courier, error) {
		c.Name, c.Vehicle, c.Phone = "Samira", tracking.Van, "+1"
		return c, nil
	})
	must(t, err)
	if c.Name != "Samira" || c.Rev != 2 || len(records) != 1 || records[0].Courier.Name != "Samira" || records[0].Delivery.Rev <= r.Delivery.Rev {
		t.Errorf("got %+v and %+v", c, records)
	}
	_, _, err = s.UpdateCourier(t.Context(), s.merchant, s.courier.ID, func(c tracking.Courier) (tracking.Courier, error) {
		c.Name = "nobody"
		return c, tracking.Invalid("name", "no")
	})
	wantCode(t, err, tracking.CodeInvalid)
	read, err := s.Courier(t.Context(), s.merchant, s.courier.ID)
	must(t, err)
	if read.Name != "Samira" || read.Phone != "+1" {
		t.Errorf("kept is %+v", read)
	}
	for _, stranger := range []struct{ merchant, courier tracking.ID }{{tracking.NewID(), s.courier.ID}, {s.merchant, tracking.NewID()}} {
		_, _, err = s.UpdateCourier(t.Context(), stranger.merchant, stranger.courier, nil)
		wantCode(t, err, tracking.CodeNotFound)
		_, err = s.Courier(t.Context(), stranger.merchant, stranger.courier)
		wantCode(t, err, tracking.CodeNotFound)
	}
}

func TestStore_Couriers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	kim := s.hire(t, "Kim")
	_, _, err := s.SetDuty(t.Context(), kim.ID, true, now())
	must(t, err)
	on, off := true, false
	for _, step := range []struct {
		duty  *bool
		after tracking.ID
		want  []string
	}{{nil, tracking.ID{}, []string{"Sam", "Kim"}}, {&on, tracking.ID{}, []string{"Kim"}}, {&off, tracking.ID{}, []string{"Sam"}}, {nil, s.courier.ID, []string{"Kim"}}} {
		got, err := s.Couriers(t.Context(), s.merchant, step.duty, step.after, 10)
		must(t, err)
		if len(got) != len(step.want) || got[0].Name != step.want[0] {
			t.Errorf("got %+v, want %v", got, step.want)
		}
	}
}

func TestStore_RotateKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	first, _ := tracking.NewKey(s.merchant, tracking.RoleCourier, s.courier.ID, "")
	_, err := s.RotateKey(t.Context(), s.merchant, s.courier.ID, first, now(), now())
	must(t, err)
	actor, err := s.Actor(t.Context(), first.Hash)
	must(t, err)
	if want := (tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant, CourierID: s.courier.ID, KeyID: first.ID, KeyHash: first.Hash}); actor != want {
		t.Errorf("the key is %+v's, want %+v", actor, want)
	}
	second, _ := tracking.NewKey(s.merchant, tracking.RoleCourier, s.courier.ID, "")
	revoked, err := s.RotateKey(t.Context(), s.merchant, s.courier.ID, second, now(), now())
	must(t, err)
	if len(revoked) != 1 || revoked[0] != first.Hash {
		t.Errorf("revoked are %x", revoked)
	}
	_, err = s.Actor(t.Context(), first.Hash)
	wantCode(t, err, tracking.CodeUnauthorized)
	_, err = s.Actor(t.Context(), second.Hash)
	must(t, err)
	_, err = s.RotateKey(t.Context(), tracking.NewID(), s.courier.ID, second, now(), now())
	wantCode(t, err, tracking.CodeNotFound)

	hash, err := s.RevokeKey(t.Context(), s.merchant, second.ID, now())
	if err != nil || hash != second.Hash {
		t.Errorf("revoked %x, %v", hash, err)
	}
	_, err = s.Actor(t.Context(), second.Hash)
	wantCode(t, err, tracking.CodeUnauthorized)
	_, err = s.RevokeKey(t.Context(), tracking.ID{}, tracking.NewID(), now())
	wantCode(t, err, tracking.CodeNotFound)
	keys, err := s.Keys(t.Context(), "Corner Kitchen")
	must(t, err)
	if len(keys) != 3 || keys[0].Courier != "Sam" {
		t.Errorf("the keys are %+v", keys)
	}
	merchantKey, _ := tracking.NewKey(tracking.NewID(), tracking.RoleMerchant, tracking.ID{}, "")
	wantCode(t, s.CreateKey(t.Context(), merchantKey, now()), tracking.CodeNotFound)
}
