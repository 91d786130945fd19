package redisstore_test

import (
	"encoding/binary"
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

func newResults(t *testing.T, h hot) *redisstore.Results {
	t.Helper()
	r := redisstore.NewResults(h.client)
	t.Cleanup(r.Close)
	return r
}

func TestResults(t *testing.T) {
	t.Parallel()
	input := tracking.HashSecret("input")
	t.Run("what one node worked out, another knows, and asks Redis for it once", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		one, two := newResults(t, h), newResults(t, h)
		_, err := two.Result(t.Context(), "road", input)
		wantCode(t, err, tracking.CodeNotFound)
		must(t, one.KeepResult(t.Context(), "road", input, []byte("value"), time.Hour))
		for _, r := range []*redisstore.Results{one, two, two, two} {
			if got, err := r.Result(t.Context(), "road", input); err != nil || string(got) != "value" {
				t.Errorf("got %q, %v", got, err)
			}
		}
		if got := commands(t, h, 1); got != "get 2" {
			t.Errorf("it cost %s, want a look for nothing and one for the value", got)
		}
		_, err = two.Result(t.Context(), "other", input)
		wantCode(t, err, tracking.CodeNotFound)
		if life := h.client.TTL(t.Context(), key.Result("road", input)).Val(); life < 59*time.Minute || life > 75*time.Minute {
			t.Errorf("it lives %v, want an hour and at most a quarter more", life)
		}
	})
	t.Run("does not keep what is too large", func(t *testing.T) {
		t.Parallel()
		h := newHot(t)
		r := newResults(t, h)
		must(t, r.KeepResult(t.Context(), "road", input, make([]byte, 5<<10), time.Hour))
		_, err := r.Result(t.Context(), "road", input)
		wantCode(t, err, tracking.CodeNotFound)
	})
	t.Run("says that Redis is away, but for what is in memory", func(t *testing.T) {
		t.Parallel()
		r := newResults(t, newHotAt(t, away, redisstore.Config{}))
		_, err := r.Result(t.Context(), "road", input)
		wantCode(t, err, tracking.CodeUnavailable)
		wantCode(t, r.KeepResult(t.Context(), "road", input, []byte("value"), time.Hour), tracking.CodeUnavailable)
		if got, err := r.Result(t.Context(), "road", input); err != nil || string(got) != "value" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("stays small whatever it is asked", func(t *testing.T) {
		t.Parallel()
		r := newResults(t, newHotAt(t, away, redisstore.Config{}))
		gone, cancel := cancellable(t)
		cancel() // Redis expires what it has; this is about memory
		for i := range 30_000 {
			var of [32]byte
			binary.BigEndian.PutUint32(of[:], uint32(i))
			_ = r.KeepResult(gone, "road", of, []byte("value"), time.Hour)
		}
		await(t, "memory is bounded", func() bool { return r.Near() <= 10_000 })
	})
}
