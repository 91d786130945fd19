package pubsub

import (
	"io"
	"net"
	"time"
)

// bufferSize is how much is read at once: some three hundred positions, or all but the longest records.
const bufferSize = 64 << 10

// reader takes frames off a connection. A message costs no allocation, and a read that brings many costs one deadline at most.
type reader struct {
	conn net.Conn
	// limit is how long the connection may be silent. It is kept to a tenth: a deadline for every read would cost as much as reading a message does.
	limit    time.Duration
	deadline time.Time
	buffer   []byte
	from, to int // what was read and not yet taken
}

// next answers the next frame, which is good until the next call.
func (r *reader) next() (frame, error) {
	for {
		f, whole, err := r.held()
		if whole || err != nil {
			return f, err
		}
		if err := r.fill(); err != nil {
			return frame{}, err
		}
	}
}

// held answers the next frame of what was read; whole is false when more must be read for one.
func (r *reader) held() (f frame, whole bool, err error) {
	f, n, err := parse(r.buffer[r.from:r.to])
	switch err {
	case nil:
		r.from += n
		return f, true, nil
	case errPartial:
		return frame{}, false, nil
	}
	return frame{}, false, err
}

// fill reads once, behind what is left of the frames before.
func (r *reader) fill() error {
	r.makeRoom()
	if now := time.Now(); r.deadline.Sub(now) < r.limit-r.limit/10 {
		r.deadline = now.Add(r.limit)
		if err := r.conn.SetReadDeadline(r.deadline); err != nil {
			return err
		}
	}
	n, err := r.conn.Read(r.buffer[r.to:])
	r.to += n
	if n == 0 && err == nil {
		return io.ErrNoProgress
	}
	if n > 0 {
		return nil // an error will be there again
	}
	return err
}

// makeRoom grows the buffer only by what has really come, whatever a frame says of its length, and lets go of what a long one took.
func (r *reader) makeRoom() {
	if r.from == r.to {
		r.from, r.to = 0, 0
	}
	room := len(r.buffer) - r.to
	switch {
	case r.to == 0 && len(r.buffer) != bufferSize:
		r.buffer = make([]byte, bufferSize)
	case r.from > 0 && room < len(r.buffer)/2:
		r.to = copy(r.buffer, r.buffer[r.from:r.to])
		r.from = 0
	case room == 0:
		r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
	}
}
