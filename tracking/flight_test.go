package tracking

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFlights(t *testing.T) {
	t.Parallel()
	t.Run("a hundred who want the same share one asking, and the next asks again", func(t *testing.T) {
		t.Parallel()
		f := newFlights[string, int](1, time.Minute)
		var asked atomic.Int64
		goOn := make(chan struct{})
		ask := func(context.Context) (int, error) { <-goOn; return int(asked.Add(1)), nil }
		first, err := f.join("a", ask)
		if err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		for range 100 {
			same, err := f.join("a", ask)
			if err != nil || same != first {
				t.Fatalf("%v, %v", same, err)
			}
			waiting.Go(func() { <-same.landed })
		}
		close(goOn)
		waiting.Wait()
		if first.value != 1 || asked.Load() != 1 {
			t.Errorf("%d, asked %d times", first.value, asked.Load())
		}
		if v, err := f.do(t.Context(), "a", ask); err != nil || v != 2 {
			t.Errorf("the next gets %d, %v", v, err)
		}
		f.close()
	})
	t.Run("goes on when who asked has gone, and ends at its own limit", func(t *testing.T) {
		t.Parallel()
		f := newFlights[string, int](1, 20*time.Millisecond)
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := f.do(ctx, "a", func(ctx context.Context) (int, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		})
		if CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
		f.close()
	})
	t.Run("refuses more than it may have, and everything once it is closed", func(t *testing.T) {
		t.Parallel()
		f := newFlights[string, int](1, time.Minute)
		hold := make(chan struct{})
		ask := func(context.Context) (int, error) { <-hold; return 0, nil }
		if _, err := f.join("a", ask); err != nil {
			t.Fatal(err)
		}
		if _, err := f.join("b", ask); CodeOf(err) != CodeOverloaded {
			t.Errorf("got %v", err)
		}
		close(hold)
		f.close()
		if _, err := f.join("c", ask); CodeOf(err) != CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
}
