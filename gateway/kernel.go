package gateway

import (
	"sync"
	"syscall"
)

// arrival is what has come: a buffer that is borrowed when there is something to read into it, and given back when that was read.
type arrival struct {
	buffer *[4 << 10]byte
	n      int
	// fill waits for something and glance does not; made once, so that reading allocates nothing.
	fill, glance func(fd uintptr) bool
}

func newArrival() *arrival {
	in := &arrival{}
	in.fill = in.readInto
	in.glance = func(fd uintptr) bool {
		in.readInto(fd)
		return true
	}
	return in
}

var arrivals = sync.Pool{New: func() any { return new([4 << 10]byte) }}

func (in *arrival) borrow() {
	if in.buffer == nil {
		in.buffer = arrivals.Get().(*[4 << 10]byte)
	}
}

func (in *arrival) release() {
	if in.buffer != nil {
		arrivals.Put(in.buffer)
		in.buffer = nil
	}
}

// readInto reads what is there; false says that nothing is yet, and nothing is held while that is waited for.
func (in *arrival) readInto(fd uintptr) bool {
	in.borrow()
	for {
		n, err := readNow(fd, in.buffer[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			in.release()
			return false
		}
		in.n = max(0, n)
		return true
	}
}

// attempt is one write that does not wait.
type attempt struct {
	b  []byte
	n  int
	do func(fd uintptr)
}

var attempts = sync.Pool{New: func() any {
	a := &attempt{}
	a.do = func(fd uintptr) {
		n, err := writeNow(fd, a.b)
		for err == syscall.EINTR {
			n, err = writeNow(fd, a.b)
		}
		a.n = max(0, n)
	}
	return a
}}

// shutDown ends both directions, and says so to whoever waits for either.
func shutDown(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) }
