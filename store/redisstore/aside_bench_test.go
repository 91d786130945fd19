package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// What an answer of 300 bytes costs its asker, by where it is found, beside a bare GET of as much in the same run.
func BenchmarkAside(b *testing.B) {
	h := newHotAt(b, storetest.RedisURL(b), redisstore.Config{})
	a := redisstore.NewAside(h.Store, unwatched, prometheus.NewRegistry(), strict, lax)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = a.Run(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	body := make([]byte, 300)
	work := tracking.Work{
		Compute: func(context.Context) (any, error) { return body, nil },
		Encode:  func(v any) ([]byte, error) { return v.([]byte), nil },
		Decode:  func(b []byte) (any, error) { return b, nil },
	}
	must(b, h.client.Set(ctx, "bare", body, time.Hour).Err())
	read := func(q tracking.Question, want tracking.Source) func(*testing.B) {
		return func(b *testing.B) {
			_, err := a.Answer(ctx, q, work)
			must(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if answer, err := a.Answer(ctx, q, work); err != nil || answer.Source != want {
					b.Fatal(answer.Source, err)
				}
			}
		}
	}
	b.Run("bare GET", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, h.client.Get(ctx, "bare").Err())
		}
	})
	b.Run("hot", read(about(strict), tracking.FromHot))
	b.Run("memory", read(about(lax), tracking.FromMemory))
}
