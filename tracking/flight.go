package tracking

import (
	"context"
	"sync"
	"time"
)

// flights let those who want the same at the same time share one asking for it. It goes on when who asked first goes away, and has a bound of its own.
type flights[K comparable, V any] struct {
	most  int
	limit time.Duration

	mu      sync.Mutex
	aloft   map[K]*flight[V]
	closed  bool
	workers sync.WaitGroup
}

// flight is one asking; value and err may be read once landed is closed.
type flight[V any] struct {
	landed chan struct{}
	value  V
	err    error
}

// newFlights bounds how many things may be asked for at once, and how long one may take.
func newFlights[K comparable, V any](most int, limit time.Duration) flights[K, V] {
	return flights[K, V]{most: most, limit: limit, aloft: map[K]*flight[V]{}}
}

// do answers what ask does, or what another's ask under the same key does. Errors: CodeOverloaded, CodeUnavailable (ctx ended first), and ask's.
func (f *flights[K, V]) do(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	var none V
	shared, err := f.join(key, ask)
	if err != nil {
		return none, err
	}
	select {
	case <-shared.landed:
		return shared.value, shared.err
	case <-ctx.Done():
		return none, Unavailable("the answer", ctx.Err())
	}
}

// join is do for those who do not wait, or not yet.
func (f *flights[K, V]) join(key K, ask func(context.Context) (V, error)) (*flight[V], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if shared := f.aloft[key]; shared != nil {
		return shared, nil
	}
	if f.closed {
		return nil, Unavailable("this node", context.Canceled)
	}
	if len(f.aloft) >= f.most {
		return nil, &Error{Code: CodeOverloaded, Message: "too much is being worked out; try again", RetryAfter: time.Second}
	}
	shared := &flight[V]{landed: make(chan struct{})}
	f.aloft[key] = shared
	f.workers.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		defer cancel()
		shared.value, shared.err = ask(ctx)
		f.mu.Lock()
		delete(f.aloft, key)
		f.mu.Unlock()
		close(shared.landed)
	})
	return shared, nil
}

// close takes nothing more and waits for what is under way.
func (f *flights[K, V]) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.workers.Wait()
}
