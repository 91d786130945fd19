package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// gate is a hook that counts round trips, and holds or fails them.
type gate struct {
	mu    sync.Mutex
	trips []int         // how many commands each had
	hold  chan struct{} // when not nil, the first trip waits for it
	fail  error
}

func (g *gate) pass(commands ...redis.Cmder) error {
	switch commands[0].Name() {
	case "hello", "client":
		return nil // a connection's beginning
	}
	g.mu.Lock()
	g.trips = append(g.trips, len(commands))
	first := len(g.trips) == 1
	g.mu.Unlock()
	if first && g.hold != nil {
		<-g.hold
	}
	if g.fail != nil {
		for _, c := range commands {
			c.SetErr(g.fail)
		}
	}
	return g.fail
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if err := g.pass(c); err != nil {
			return err
		}
		return next(ctx, c)
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if err := g.pass(commands...); err != nil {
			return err
		}
		return next(ctx, commands)
	}
}

// newLane is a lane through a gate that holds its first round trip until it is opened.
func newLane(t *testing.T) (*lane, *gate) {
	t.Helper()
	client, err := Connect(storetest.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	l, g := &lane{client: client}, &gate{hold: make(chan struct{})}
	client.AddHook(g)
	t.Cleanup(func() {
		l.close()
		_ = client.Close()
	})
	return l, g
}

func newErrand(size int, args ...any) *errand {
	return &errand{command: redis.NewCmd(context.Background(), args...), size: size, back: make(chan struct{}, 1)}
}

// sendAll sends errands at once, and waits until the first is under way and the others wait. The function answers their errors, in order.
func (l *lane) sendAll(t *testing.T, ctx context.Context, errands ...*errand) (done func() []error) {
	t.Helper()
	errs := make([]error, len(errands))
	var wait sync.WaitGroup
	for i, e := range errands {
		wait.Go(func() { _, errs[i] = l.send(ctx, e) })
		l.await(t, i)
	}
	return func() []error {
		wait.Wait()
		return errs
	}
}

func (l *lane) await(t *testing.T, waiting int) {
	t.Helper()
	for began := time.Now(); ; runtime.Gosched() {
		l.mu.Lock()
		ready := l.driving && len(l.waiting) == waiting
		l.mu.Unlock()
		if ready {
			return
		}
		if time.Since(began) > 30*time.Second {
			t.Fatalf("there are never %d that wait", waiting)
		}
	}
}

func TestLane(t *testing.T) {
	t.Parallel()
	echoes := func(n, size int) (errands []*errand) {
		for i := range n {
			errands = append(errands, newErrand(size, "echo", fmt.Sprint(i)))
		}
		return errands
	}
	t.Run("what arrives during a round trip shares the next, and each gets its own answer", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		errands := echoes(40, 100)
		errands[7] = newErrand(100, "nosuchcommand")
		done := l.sendAll(t, t.Context(), errands...)
		close(g.hold)
		for i, err := range done() {
			if i == 7 {
				if err == nil || unanswered(err) {
					t.Errorf("the wrong command: %v, want the server's refusal", err)
				}
			} else if got, _ := errands[i].command.Text(); err != nil || got != fmt.Sprint(i) {
				t.Errorf("errand %d: %q, %v", i, got, err)
			}
		}
		if fmt.Sprint(g.trips) != "[1 39]" {
			t.Errorf("trips %v, want one alone and one for all that came meanwhile", g.trips)
		}
	})
	t.Run("a round trip has its limits, in number and in size", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		done := l.sendAll(t, t.Context(), append(echoes(1+tripCount+1, 1), echoes(3, tripBytes/2+1)...)...)
		close(g.hold)
		if err := errors.Join(done()...); err != nil {
			t.Error(err)
		}
		if want := fmt.Sprintf("[1 %d 2 1 1]", tripCount); fmt.Sprint(g.trips) != want {
			t.Errorf("trips %v, want %s", g.trips, want)
		}
	})
	t.Run("who gives up leaves the others in peace", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		ctx, cancel := context.WithCancel(t.Context())
		errands := echoes(4, 1)
		first := l.sendAll(t, t.Context(), errands[0])
		left := make(chan error, 1)
		go func() {
			answered, err := l.send(ctx, errands[1])
			if answered {
				err = errors.New("it says that it was answered")
			}
			left <- err
		}()
		l.await(t, 1)
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		others := make(chan error, 2)
		for i, e := range errands[2:] {
			go func() {
				_, err := l.send(t.Context(), e)
				others <- err
			}()
			l.await(t, 2+i)
		}
		close(g.hold)
		if err := errors.Join(first()[0], <-others, <-others); err != nil {
			t.Error(err)
		}
	})
	t.Run("who waited behind a server that does not answer is not sent to it", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		g.fail = io.EOF
		done := l.sendAll(t, t.Context(), echoes(5, 1)...)
		close(g.hold)
		errs := done()
		if !errors.Is(errs[0], io.EOF) {
			t.Errorf("the first heard %v", errs[0])
		}
		for _, err := range errs[1:] {
			if tracking.CodeOf(err) != tracking.CodeUnavailable || !errors.Is(err, errNotSent) {
				t.Errorf("got %v, want unavailable", err)
			}
		}
		if len(g.trips) != 1 {
			t.Errorf("%d round trips were made, want one", len(g.trips))
		}
	})
	t.Run("it is full at its limit, and says so at once", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		first := l.sendAll(t, t.Context(), echoes(1, 1)...)
		for _, e := range echoes(laneQueue, 1) {
			if err := l.join(e); err != nil {
				t.Fatal(err)
			}
		}
		var full *tracking.Error
		if _, err := l.send(t.Context(), newErrand(1, "ping")); !errors.As(err, &full) || full.Code != tracking.CodeOverloaded || full.RetryAfter == 0 {
			t.Errorf("got %v, want overloaded", err)
		}
		close(g.hold)
		if err := first()[0]; err != nil {
			t.Error(err)
		}
	})
	t.Run("closed, it waits for what is under way and takes nothing more", func(t *testing.T) {
		t.Parallel()
		l, g := newLane(t)
		done := l.sendAll(t, t.Context(), echoes(3, 1)...)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			l.close()
		}()
		for refused := false; !refused; {
			refused = tracking.CodeOf(l.join(newErrand(1, "ping"))) == tracking.CodeUnavailable
		}
		select {
		case <-closed:
			t.Error("it is closed although a round trip is under way")
		default:
		}
		close(g.hold)
		<-closed
		if err := errors.Join(done()...); err != nil {
			t.Error(err)
		}
	})
}
