package redisstore_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var sealing = tracking.Resource{Work: "sealing"}

// seals are the truth's, which count what is sealed and may stop one worker in the middle of it.
type seals struct {
	*shop
	sealed  atomic.Int64
	refused chan tracking.Lease // gets the lease of a worker whose write was refused
	pause   func(tracking.Lease)
}

func (s *seals) Seal(ctx context.Context, l tracking.Lease, of tracking.MerchantDay) error {
	if s.pause != nil {
		s.pause(l)
	}
	err := s.shop.Seal(ctx, l, of)
	switch tracking.CodeOf(err) {
	case "":
		s.sealed.Add(1)
	case tracking.CodeConflict:
		s.refused <- l
	}
	return err
}

// work runs a worker on a client of its own until the function answered is called.
func (s *seals) work(t *testing.T, url string) (hot, func()) {
	t.Helper()
	h := newHotAt(t, url, redisstore.Config{})
	worker := tracking.NewSealing(s, h, tracking.SealingConfig{Every: 20 * time.Millisecond, Lease: long}, func() time.Time { return (day + 3).Start().Add(2 * time.Hour) }, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { must(t, worker.Run(ctx)) })
	stop := func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return h, stop
}

func (s *shop) unsealed(t *testing.T) int {
	t.Helper()
	left, err := s.Unsealed(t.Context(), day-14, day+3, 100)
	must(t, err)
	return len(left)
}

func TestSealing(t *testing.T) {
	t.Parallel()
	t.Run("seals what is over, one worker for all", func(t *testing.T) {
		t.Parallel()
		url, s := storetest.RedisURL(t), newShop(t, 3)
		counted := &seals{shop: s, refused: make(chan tracking.Lease, 9)}
		for i := range 6 {
			_, err := s.complete(t.Context(), day.Start().Add(time.Duration(i)*24*time.Hour))
			must(t, err)
		}
		var stops []func()
		for range 3 {
			_, stop := counted.work(t, url)
			stops = append(stops, stop)
		}
		await(t, "days are sealed, and counted", func() bool { return s.unsealed(t) == 0 && counted.sealed.Load() >= 3 })
		for _, stop := range stops {
			stop()
		}
		if n := counted.sealed.Load(); n != 3 {
			t.Errorf("days were sealed %d times, want the 3 that are over once each", n)
		}
		if len(counted.refused) > 0 {
			t.Error("a worker was refused")
		}
	})
	t.Run("refuses what a worker writes who has slept past the lease", func(t *testing.T) {
		t.Parallel()
		url, s := storetest.RedisURL(t), newShop(t, 3)
		asleep, wake := make(chan tracking.Lease), make(chan struct{})
		var slept atomic.Bool
		counted := &seals{shop: s, refused: make(chan tracking.Lease, 1), pause: func(l tracking.Lease) {
			if slept.CompareAndSwap(false, true) {
				asleep <- l
				<-wake
			}
		}}
		for i := range 3 {
			_, err := s.complete(t.Context(), day.Start().Add(time.Duration(i)*24*time.Hour))
			must(t, err)
		}
		h, _ := counted.work(t, url)
		slow := <-asleep
		expire(t, h, sealing)
		counted.work(t, url)
		await(t, "another has sealed all", func() bool { return s.unsealed(t) == 0 })
		_, err := s.complete(t.Context(), day.Start()) // too late for a day that is sealed, and what the sleeper would bring into it
		must(t, err)
		close(wake)
		if l := <-counted.refused; l.Token != slow.Token {
			t.Errorf("%v was refused, and not who slept", l)
		}
		if last, err := s.LastFence(t.Context(), sealing); err != nil || last <= slow.Fence {
			t.Errorf("the last fence is %d, %v, and the sleeper's was %d", last, err, slow.Fence)
		}
	})
	t.Run("goes on above the truth's fence when Redis has lost its own and its clock is behind", func(t *testing.T) {
		t.Parallel()
		url, s := storetest.RedisURL(t), newShop(t, 1)
		ahead := time.Now().Add(long).UnixMicro()
		must(t, s.Seal(t.Context(), tracking.Lease{Resource: sealing, Fence: ahead}, tracking.MerchantDay{Merchant: s.merchant, Day: day - 20}))
		_, err := s.complete(t.Context(), day.Start())
		must(t, err)
		h, stop := (&seals{shop: s, refused: make(chan tracking.Lease, 1)}).work(t, url)
		await(t, "the day is sealed", func() bool { return s.unsealed(t) == 0 })
		if last, err := s.LastFence(t.Context(), sealing); err != nil || last <= ahead {
			t.Errorf("the last fence is %d, %v, want one above %d", last, err, ahead)
		}
		stop()
		if n := h.client.Exists(t.Context(), key.Lock(sealing)).Val(); n != 0 {
			t.Error("who was stopped still holds the lock")
		}
	})
}
