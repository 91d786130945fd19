package proxy

import (
	"context"
	"net"
	"sync"
	"time"
)

// link is one connection through the proxy.
type link struct {
	proxy  *Proxy
	client net.Conn
	born   int64           // the how manieth of its proxy
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	// Used by the pump of replies alone: what the connection may still pass, and by which fault.
	left    int64
	limited *int64
}

func newLink(p *Proxy, client net.Conn) *link {
	l := &link{proxy: p, client: client}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// end closes the client's side and wakes whoever waits; run then closes the store's.
func (l *link) end() {
	l.cancel()
	_ = l.client.Close()
}

// run pumps both ways until both sides are through.
func (l *link) run(store net.Conn) {
	defer context.AfterFunc(l.ctx, func() { _ = store.Close() })()
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(store, l.client, Up) })
	pumps.Go(func() { l.pump(l.client, store, Down) })
	pumps.Wait()
}

// pump moves chunks one way. An end of stream is passed on alone, since the other way may still have something to say; a stalled one waits as
// every chunk does.
func (l *link) pump(to, from net.Conn, way Way) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		if n > 0 && !l.forward(to, chunk[:n], way) {
			l.end()
			return
		}
		if err != nil {
			if _, ok := l.passable(way); !ok {
				return
			}
			if half, ok := to.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
				l.end()
			}
			return
		}
	}
}

// forward writes a chunk through the faults of the moment; false means that the connection is over.
func (l *link) forward(to net.Conn, chunk []byte, way Way) bool {
	f, _ := l.proxy.state()
	if f.delay > 0 && !l.pause(f.delay) {
		return false
	}
	f, ok := l.passable(way)
	if !ok {
		return false
	}
	last := false
	if way == Up {
		l.proxy.asked.Add(1)
	}
	if way == Down && f.budget != nil {
		if l.limited != f.budget {
			l.limited, l.left = f.budget, *f.budget
		}
		if int64(len(chunk)) >= l.left {
			chunk, last = chunk[:l.left], true
		}
		l.left -= int64(len(chunk))
	}
	step := len(chunk)
	if f.slice {
		step = 1
	}
	for len(chunk) > 0 {
		n, err := to.Write(chunk[:min(step, len(chunk))])
		if err != nil {
			return false
		}
		chunk = chunk[n:]
	}
	return !last
}

// passable waits while this way is stalled.
func (l *link) passable(way Way) (fault, bool) {
	for {
		f, changed := l.proxy.state()
		if f.stall&way == 0 && l.born > f.frozen {
			return f, true
		}
		select {
		case <-changed:
		case <-l.ctx.Done():
			return f, false
		}
	}
}

func (l *link) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}
