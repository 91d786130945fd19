package redisstore_test

import (
	"testing"

	"hotfoot/tracking"
)

// A merchant's day of 20,000 deliveries by 200 couriers: the best twenty from Redis, and as Postgres counts them.
func BenchmarkBoard(b *testing.B) {
	h, s := newHot(b), newShop(b, 200)
	s.completeMany(b, 20_000)
	h.filled(b, s)
	b.Run("hot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.Board(b.Context(), s.merchant, day, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Postgres", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Standings(b.Context(), s.merchant, day, 20); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fill", func(b *testing.B) {
		for b.Loop() {
			h.filled(b, s)
		}
	})
}

// A lease taken and given back, beside two bare round trips.
func BenchmarkLock(b *testing.B) {
	h, work := newHot(b), tracking.Resource{Work: "work"}
	b.Run("lease", func(b *testing.B) {
		for b.Loop() {
			lease, err := h.Acquire(b.Context(), work, long, 0)
			must(b, err)
			must(b, h.Release(b.Context(), lease))
		}
	})
	b.Run("two pings", func(b *testing.B) {
		for b.Loop() {
			must(b, h.client.Ping(b.Context()).Err())
			must(b, h.client.Ping(b.Context()).Err())
		}
	})
}
