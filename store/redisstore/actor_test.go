package redisstore_test

import (
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

func TestStore_KeepActor(t *testing.T) {
	t.Parallel()
	h := newHot(t)
	merchant, courier := tracking.NewID(), tracking.NewID()
	for _, actor := range []tracking.Actor{
		{Role: tracking.RoleCourier, MerchantID: merchant, CourierID: courier, KeyID: tracking.NewID()},
		{Role: tracking.RoleOps, MerchantID: merchant, KeyID: tracking.NewID()},
		{Role: tracking.RoleMerchant, MerchantID: merchant, KeyID: tracking.NewID()},
	} {
		hash := tracking.HashSecret(string(actor.Role))
		actor.KeyHash = hash
		_, err := h.KeptActor(t.Context(), hash)
		wantCode(t, err, tracking.CodeNotFound)
		must(t, h.KeepActor(t.Context(), hash, actor))
		if got, err := h.KeptActor(t.Context(), hash); err != nil || got != actor {
			t.Errorf("kept %+v, %v, want %+v", got, err, actor)
		}
		must(t, h.client.Expire(t.Context(), key.Actor(hash), time.Minute).Err())
		must(t, h.KeepActor(t.Context(), hash, actor))
		if life := h.client.TTL(t.Context(), key.Actor(hash)).Val(); life < 20*time.Hour || life > 24*time.Hour {
			t.Errorf("it lives for %v", life)
		}
	}
	gone, still := tracking.HashSecret(string(tracking.RoleCourier)), tracking.HashSecret(string(tracking.RoleOps))
	never := tracking.HashSecret("never seen")
	must(t, h.ForgetActor(t.Context(), [][32]byte{gone, never}))
	must(t, h.ForgetActor(t.Context(), nil))
	for _, hash := range [][32]byte{gone, never} {
		// A node that looked it up before it was revoked is a moment late.
		must(t, h.KeepActor(t.Context(), hash, tracking.Actor{Role: tracking.RoleCourier, MerchantID: merchant}))
		_, err := h.KeptActor(t.Context(), hash)
		wantCode(t, err, tracking.CodeNotFound)
	}
	_, err := h.KeptActor(t.Context(), still)
	must(t, err)
	for _, unreadable := range []string{"\x01", "\x02" + string(make([]byte, 60)), "{}"} {
		must(t, h.client.Set(t.Context(), key.Actor(still), unreadable, 0).Err())
		_, err = h.KeptActor(t.Context(), still)
		wantCode(t, err, tracking.CodeNotFound)
	}
	without := newHotAt(t, away, redisstore.Config{})
	wantCode(t, without.KeepActor(t.Context(), still, tracking.Actor{}), tracking.CodeUnavailable)
	wantCode(t, without.ForgetActor(t.Context(), [][32]byte{still}), tracking.CodeUnavailable)
	_, err = without.KeptActor(t.Context(), still)
	wantCode(t, err, tracking.CodeUnavailable)
}
