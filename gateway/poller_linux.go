package gateway

import (
	"os"
	"sync"
	"syscall"
)

// eventsAtOnce is how many sockets' events are taken in one call.
const eventsAtOnce = 128

// poller hears all idle sockets in one goroutine. Nearly everything that a viewer ever says is a pong, which takes no time to answer; a goroutine that waits
// for it, with its stack, is half of what an idle socket costs. The kernel says which sockets have something (epoll(7)), and the runtime's own poller says
// when it does: no thread waits.
//
// A watched socket is closed by the poller alone, so that a descriptor never stands for another socket than it was watched for. Others shut it down,
// which the poller hears.
type poller struct {
	mu      sync.Mutex
	file    *os.File // nil before the first socket
	conns   map[int32]*conn
	stopped bool
}

// watch has a socket heard from now on; false when it cannot be.
func (p *poller) watch(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.file == nil && !p.open(c.hub) {
		return false
	}
	epoll, watched := int(p.file.Fd()), false
	_ = c.raw.Control(func(fd uintptr) {
		p.conns[int32(fd)] = c
		event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP, Fd: int32(fd)}
		if watched = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(fd), &event) == nil; !watched {
			delete(p.conns, int32(fd))
		}
	})
	return watched
}

// open makes the poller's own descriptor and starts its loop. Called with mu held.
func (p *poller) open(h *Hub) bool {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	_ = syscall.SetNonblock(fd, true)
	p.file, p.conns = os.NewFile(uintptr(fd), "epoll"), map[int32]*conn{}
	if !h.start(p.run) {
		_ = p.file.Close()
		p.file = nil
	}
	return p.file != nil
}

func (p *poller) run() {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return // it was closed before anything was watched
	}
	var events [eventsAtOnce]syscall.EpollEvent
	n := 0
	take := func(fd uintptr) bool {
		n, _ = syscall.EpollWait(int(fd), events[:], 0)
		return n > 0
	}
	in := newArrival()
	for raw.Read(take) == nil {
		for _, event := range events[:n] {
			p.mu.Lock()
			c := p.conns[event.Fd]
			p.mu.Unlock()
			if c != nil && !c.arrived(in) {
				p.forget(event.Fd)
				c.leave()
			}
		}
	}
}

func (p *poller) forget(fd int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, fd)
	p.end()
}

// stop takes no more sockets and ends with the last of those there are.
func (p *poller) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.end()
}

// end wakes the loop for good once there is nothing left to hear. Called with mu held.
func (p *poller) end() {
	if p.stopped && p.file != nil && len(p.conns) == 0 {
		_ = p.file.Close()
	}
}
