// Package proxy stands between a node and a store, and spoils the connection on demand.
//
//	node ──> listener ──> link: pump up ────> store
//	                            pump down <──
//
// What it guarantees. Healed, every byte passes in order, and an end of stream passes as one. A fault works on connections that are open and
// on new ones, until Heal. A stalled connection loses nothing: what waited goes on after Heal, as TCP would after a cable was put back.
//
// Concurrency: all methods may be called from any goroutine. Close waits for every goroutine that the proxy has started.
package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Address is where to listen or whom to dial.
type Address struct {
	Network string // "unix" or "tcp"
	Name    string
}

// Way is which way bytes go.
type Way int

// The ways.
const (
	Up   Way = 1 << iota // from the node to the store
	Down                 // replies
	Both = Up | Down
)

// fault is what is wrong now. The zero fault is nothing.
type fault struct {
	cut    bool
	gone   bool // the store itself is not there
	stall  Way
	frozen int64 // connections up to this one are stalled both ways
	delay  time.Duration
	slice  bool
	budget *int64 // bytes of replies that each connection still passes; nil for all
}

func (f fault) refuses() bool { return f.cut || f.gone }

// Proxy forwards one address to another.
type Proxy struct {
	listen Address
	wait   sync.WaitGroup
	asked  atomic.Int64

	mu       sync.Mutex
	upstream Address
	fault    fault
	changed  chan struct{} // closed and replaced with every change of fault
	listener net.Listener  // nil while connections are refused
	links    map[*link]struct{}
	born     int64 // connections so far
	closed   bool
	err      error // what went wrong beyond the faults asked for
}

// Listen starts a proxy. A tcp address with port 0 gets a port, which Address tells.
func Listen(listen, upstream Address) (*Proxy, error) {
	p := &Proxy{listen: listen, upstream: upstream, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return nil, err
	}
	p.listen.Name = p.listener.Addr().String()
	return p, nil
}

// Address is where the proxy listens: the same for its whole life.
func (p *Proxy) Address() Address { return p.listen }

// Asked is how many chunks nodes have sent through, which is about how many questions they have asked.
func (p *Proxy) Asked() int64 { return p.asked.Load() }

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() { p.spoil(func(f *fault) { f.cut = true }) }

// Stall is a black hole: connections are made and stay open, and what is sent one way or both never arrives. Nobody gets an error.
func (p *Proxy) Stall(way Way) { p.spoil(func(f *fault) { f.stall |= way }) }

// Freeze is a black hole for the connections that are open now, and for them alone: their clients have left the network and may come back by
// another way.
func (p *Proxy) Freeze() { p.spoil(func(f *fault) { f.frozen = p.born }) }

// Delay holds every chunk for so long, each way.
func (p *Proxy) Delay(d time.Duration) { p.spoil(func(f *fault) { f.delay = d }) }

// LimitData lets each connection pass n more bytes of replies and then ends it: with 0 the next reply is lost, though its request was served.
func (p *Proxy) LimitData(n int64) { p.spoil(func(f *fault) { f.budget = &n }) }

// Slice writes one byte at a time.
func (p *Proxy) Slice() { p.spoil(func(f *fault) { f.slice = true }) }

// Heal undoes every fault.
func (p *Proxy) Heal() { p.spoil(func(f *fault) { *f = fault{gone: f.gone} }) }

// Upstream says whether the store is there at all. A proxy would otherwise accept for a store that refuses, and nodes would see another error
// than in a deployment without one.
func (p *Proxy) Upstream(there bool) { p.spoil(func(f *fault) { f.gone = !there }) }

// Redirect leads new connections to another store, and ends those to the one before.
func (p *Proxy) Redirect(upstream Address) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
	for l := range p.links {
		l.end()
	}
}

// spoil changes the fault and makes it true for what is open.
func (p *Proxy) spoil(change func(*fault)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	change(&p.fault)
	close(p.changed)
	p.changed = make(chan struct{})
	switch {
	case p.fault.refuses():
		p.shut()
	case p.listener == nil:
		p.err = errors.Join(p.err, p.open())
	}
	if p.fault.cut {
		for l := range p.links {
			l.end()
		}
	}
}

// open starts to accept. Called with mu held.
func (p *Proxy) open() error {
	if p.listen.Network == "unix" {
		_ = os.Remove(p.listen.Name)
	}
	listener, err := net.Listen(p.listen.Network, p.listen.Name)
	if err != nil {
		return fmt.Errorf("proxy for %s: %w", p.upstream.Name, err)
	}
	p.listener = listener
	p.wait.Go(func() { p.accept(listener) })
	return nil
}

// shut refuses from now on. Called with mu held.
func (p *Proxy) shut() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // shut
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

// dialLimit is for a store that is paused with a full backlog of connections.
const dialLimit = 10 * time.Second

func (p *Proxy) serve(client net.Conn) {
	l := newLink(p, client)
	defer l.end()
	upstream, ok := p.add(l)
	if !ok {
		return
	}
	defer p.remove(l)
	store, err := (&net.Dialer{Timeout: dialLimit}).DialContext(l.ctx, upstream.Network, upstream.Name)
	if err != nil {
		return
	}
	defer store.Close()
	l.run(store)
}

// add counts a connection in and answers where it leads to, unless there are none now.
func (p *Proxy) add(l *link) (upstream Address, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.fault.cut {
		return Address{}, false
	}
	p.links[l] = struct{}{}
	p.born++
	l.born = p.born
	return p.upstream, true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// state answers the fault and a channel that is closed when it is not true any more.
func (p *Proxy) state() (fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.changed
}

// Close ends everything and tells what went wrong on the way, faults aside.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.closed = true
	p.shut()
	for l := range p.links {
		l.end()
	}
	p.mu.Unlock()
	p.wait.Wait()
	return p.err
}
