package redisstore

import (
	"context"
	"sync"

	"hotfoot/tracking"
)

// looks are lookups that askers share: whoever comes while one is under way has the next, which was not sent yet when they came, so that it knows of all
// that they may know of. However many ask for the same thing, there is one round trip at a time for it.
type looks struct {
	mu    sync.Mutex
	lines map[string]*line
}

// line is what is asked for one answer: one lookup under way, and one that waits for its end.
type line struct{ running, next *look }

type look struct {
	// found and err may be read once done is closed.
	done  chan struct{}
	found lookup
	err   error
}

// get shares or makes a lookup; ask makes it. It must not take longer than a client's timeouts allow: who came first asks for all, whether or not they
// are still there themselves.
func (l *looks) get(ctx context.Context, name string, ask func() (lookup, error)) (lookup, error) {
	l.mu.Lock()
	at := l.lines[name]
	if at == nil {
		at = &line{}
		l.lines[name] = at
	}
	if next := at.next; next != nil {
		l.mu.Unlock()
		select {
		case <-next.done:
			return next.found, next.err
		case <-ctx.Done():
			return lookup{}, tracking.Unavailable("Redis", ctx.Err())
		}
	}
	own := &look{done: make(chan struct{})}
	if running := at.running; running != nil {
		at.next = own
		l.mu.Unlock()
		<-running.done
		l.mu.Lock()
		at.next = nil
	}
	at.running = own
	l.mu.Unlock()

	own.found, own.err = ask()
	l.mu.Lock()
	if at.running = nil; at.next == nil {
		delete(l.lines, name)
	}
	l.mu.Unlock()
	close(own.done)
	return own.found, own.err
}
