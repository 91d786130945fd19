package tracking_test

import (
	"context"
	"testing"

	"hotfoot/tracking"
)

// rack stands in for both stores of keys.
type rack struct {
	truth    map[[32]byte]tracking.Actor
	truthErr error
	hot      map[[32]byte]tracking.Actor
	hotErr   error
}

func (r *rack) Actor(_ context.Context, hash [32]byte) (tracking.Actor, error) {
	if r.truthErr != nil {
		return tracking.Actor{}, r.truthErr
	}
	if actor, ok := r.truth[hash]; ok {
		return actor, nil
	}
	return tracking.Actor{}, tracking.Errorf(tracking.CodeUnauthorized, "no such key")
}

func (r *rack) KeepActor(_ context.Context, hash [32]byte, actor tracking.Actor) error {
	if r.hotErr == nil {
		r.hot[hash] = actor
	}
	return r.hotErr
}

func (r *rack) KeptActor(_ context.Context, hash [32]byte) (tracking.Actor, error) {
	if r.hotErr != nil {
		return tracking.Actor{}, r.hotErr
	}
	if actor, ok := r.hot[hash]; ok {
		return actor, nil
	}
	return tracking.Actor{}, tracking.Errorf(tracking.CodeNotFound, "not kept")
}

func TestKeyring(t *testing.T) {
	t.Parallel()
	known, unknown := [32]byte{1}, [32]byte{2}
	setup := func() (*rack, *tracking.Keyring) {
		r := &rack{truth: map[[32]byte]tracking.Actor{known: sam}, hot: map[[32]byte]tracking.Actor{}}
		return r, tracking.NewKeyring(r, r)
	}
	t.Run("the truth answers while it can, whatever is remembered", func(t *testing.T) {
		t.Parallel()
		r, k := setup()
		r.hot[unknown] = sam
		if actor, err := k.Actor(t.Context(), known); err != nil || actor != sam {
			t.Errorf("known: %+v, %v", actor, err)
		}
		_, err := k.Actor(t.Context(), unknown)
		wants(t, err, tracking.CodeUnauthorized)
	})
	t.Run("with the truth away, keys seen lately still open and others are not judged", func(t *testing.T) {
		t.Parallel()
		r, k := setup()
		if _, err := k.Actor(t.Context(), known); err != nil {
			t.Fatal(err)
		}
		r.truthErr = away("Postgres")
		if actor, err := k.Actor(t.Context(), known); err != nil || actor != sam {
			t.Errorf("known: %+v, %v", actor, err)
		}
		_, err := k.Actor(t.Context(), unknown)
		wants(t, err, tracking.CodeUnavailable)
	})
	t.Run("with the hot store away nothing changes while the truth answers", func(t *testing.T) {
		t.Parallel()
		r, k := setup()
		r.hotErr = away("Redis")
		if _, err := k.Actor(t.Context(), known); err != nil {
			t.Error(err)
		}
		r.truthErr = away("Postgres")
		_, err := k.Actor(t.Context(), known)
		wants(t, err, tracking.CodeUnavailable)
	})
}
