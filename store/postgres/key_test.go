package postgres_test

import (
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestStore_Actor_expires(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, step := range []struct {
		ends time.Duration
		code tracking.Code
	}{{-time.Second, tracking.CodeUnauthorized}, {time.Hour, ""}} {
		key, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "")
		key.ExpiresAt = now().Add(step.ends)
		must(t, s.CreateKey(t.Context(), key, now()))
		actor, err := s.Actor(t.Context(), key.Hash)
		if tracking.CodeOf(err) != step.code {
			t.Errorf("a key that ends in %v: %v", step.ends, err)
		}
		if err == nil && !actor.Until.Equal(key.ExpiresAt) {
			t.Errorf("it ends at %v, want %v", actor.Until, key.ExpiresAt)
		}
	}
}

func TestStore_Ended(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var keys [4]tracking.Key
	for i := range keys {
		keys[i], _ = tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "")
	}
	good, expired, revoked, never := keys[0], keys[1], keys[2], keys[3]
	expired.ExpiresAt = now().Add(-time.Second)
	for _, k := range []tracking.Key{good, expired, revoked} {
		must(t, s.CreateKey(t.Context(), k, now()))
	}
	_, err := s.RevokeKey(t.Context(), s.merchant, revoked.ID, now())
	must(t, err)
	ended, err := s.Ended(t.Context(), [][32]byte{never.Hash, good.Hash, revoked.Hash, expired.Hash})
	must(t, err)
	if len(ended) != 3 || slices.Contains(ended, good.Hash) {
		t.Errorf("%d have ended, the good one among them: %v", len(ended), slices.Contains(ended, good.Hash))
	}
}

func TestStore_ReplaceKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "till 3")
	must(t, s.CreateKey(t.Context(), old, now()))
	replace := func(k tracking.Key) tracking.Key {
		if k.MerchantID != s.merchant || k.Role != tracking.RoleOps || k.Label != "till 3" || !k.CourierID.IsZero() {
			t.Errorf("it replaces %+v", k)
		}
		made, _ := tracking.NewKey(k.MerchantID, k.Role, k.CourierID, k.Label)
		return made
	}
	until := now().Add(time.Hour)
	revoked, err := s.ReplaceKey(t.Context(), s.merchant, old.ID, replace, now(), until)
	if err != nil || len(revoked) != 0 {
		t.Fatalf("with an overlap: %x, %v", revoked, err)
	}
	actor, err := s.Actor(t.Context(), old.Hash)
	if err != nil || !actor.Until.Equal(until.Truncate(time.Microsecond)) {
		t.Errorf("the old one ends at %v, %v, want %v", actor.Until, err, until)
	}
	// A second rotation must not make it live longer.
	_, err = s.ReplaceKey(t.Context(), s.merchant, old.ID, replace, now(), until.Add(time.Hour))
	must(t, err)
	if actor, err = s.Actor(t.Context(), old.Hash); err != nil || actor.Until.After(until) {
		t.Errorf("the old one ends at %v, %v, want %v", actor.Until, err, until)
	}
	revoked, err = s.ReplaceKey(t.Context(), tracking.ID{}, old.ID, replace, now(), now())
	if err != nil || !slices.Equal(revoked, [][32]byte{old.Hash}) {
		t.Errorf("without one: %x, %v", revoked, err)
	}
	_, err = s.Actor(t.Context(), old.Hash)
	wantCode(t, err, tracking.CodeUnauthorized)
	for _, c := range []struct{ merchant, id tracking.ID }{{s.merchant, old.ID}, {s.merchant, tracking.NewID()}} {
		_, err = s.ReplaceKey(t.Context(), c.merchant, c.id, replace, now(), until)
		wantCode(t, err, tracking.CodeNotFound)
	}

	keys, err := s.KeysOf(t.Context(), s.merchant, tracking.ID{}, 10)
	must(t, err)
	// Three that replaced it, and itself; the courier's is theirs.
	if len(keys) != 4 || keys[3].ID != old.ID || keys[3].RevokedAt.IsZero() || !keys[0].RevokedAt.IsZero() || keys[0].Label != "till 3" {
		t.Errorf("the keys are %+v", keys)
	}
	rest, err := s.KeysOf(t.Context(), s.merchant, keys[1].ID, 10)
	if err != nil || len(rest) != 2 || rest[0].ID != keys[2].ID {
		t.Errorf("after the second: %+v, %v", rest, err)
	}
	stranger := tracking.NewID()
	if keys, err = s.KeysOf(t.Context(), stranger, tracking.ID{}, 10); err != nil || len(keys) != 0 {
		t.Errorf("a stranger's: %+v, %v", keys, err)
	}
	_, err = s.ReplaceKey(t.Context(), stranger, rest[0].ID, replace, now(), until)
	wantCode(t, err, tracking.CodeNotFound)
	_, err = s.RevokeKey(t.Context(), stranger, rest[0].ID, now())
	wantCode(t, err, tracking.CodeNotFound)
}

func TestStore_RotateKey_with_overlap(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var keys [2]tracking.Key
	for i := range keys {
		keys[i], _ = tracking.NewKey(s.merchant, tracking.RoleCourier, s.courier.ID, "")
		revoked, err := s.RotateKey(t.Context(), s.merchant, s.courier.ID, keys[i], now(), now().Add(time.Hour))
		if err != nil || len(revoked) != 0 {
			t.Fatalf("%x, %v", revoked, err)
		}
	}
	for i, key := range keys {
		if actor, err := s.Actor(t.Context(), key.Hash); err != nil || actor.Until.IsZero() != (i == 1) {
			t.Errorf("key %d ends at %v, %v", i, actor.Until, err)
		}
	}
}
