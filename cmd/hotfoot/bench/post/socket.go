//go:build linux

package post

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"hotfoot/cmd/hotfoot/bench/socket"
)

// AppendMessage writes a request for a connection that is a socket. body is an object, without what says that it is a report.
func AppendMessage(b, body []byte) []byte {
	message := append(append(make([]byte, 0, len(positions)+len(body)), positions...), body[1:]...)
	return socket.AppendMasked(b, socket.Text, message)
}

var (
	positions = []byte(`{"type":"positions",`)
	receipt   = []byte(`{"type":"receipt",`)
	accepted  = []byte(`"accepted_seq":`)
	upgraded  = []byte("HTTP/1.1 101")
)

// open makes every connection a socket.
func (l *loop) open(ctx context.Context, handshake func(connection int) []byte) error {
	l.cut, l.unasked = cutHandshake, true
	for _, c := range l.all() {
		if err := l.send(c, handshake(c.index)); err != nil {
			return err
		}
	}
	for l.underway > 0 && ctx.Err() == nil {
		if err := l.await(time.Now().Add(patience), func(_ *conn, _ time.Time, refusal error) error { return refusal }); err != nil {
			return err
		}
	}
	l.cut = cutReceipt
	return ctx.Err()
}

// cutHandshake looks for the answer to a handshake, as loop.cut does.
func cutHandshake(b []byte) (size int, refusal, err error) {
	end := bytes.Index(b, endOfHead)
	switch {
	case end < 0 && len(b) > maxAnswer:
		return 0, nil, errors.New("post: an answer to a handshake that does not end")
	case end < 0:
		return 0, nil, nil
	case !bytes.HasPrefix(b, upgraded):
		return end + len(endOfHead), fmt.Errorf("post: a handshake was answered %q", b[:end]), nil
	}
	return end + len(endOfHead), nil, nil
}

// cutReceipt looks for a message with a receipt, as loop.cut does; what else a server says belongs to what came before it. err: frames that break the protocol,
// or say goodbye.
func cutReceipt(b []byte) (size int, refusal, err error) {
	for {
		op, payload, n, err := socket.Cut(b[size:])
		if err != nil {
			return 0, nil, fmt.Errorf("post: %w", err)
		}
		if n == 0 {
			return 0, nil, nil
		}
		size += n
		switch {
		case op == socket.Close:
			return 0, nil, fmt.Errorf("post: the server said goodbye: %q", payload)
		case op != socket.Text || !bytes.HasPrefix(payload, receipt):
		case !bytes.Contains(payload, accepted):
			return size, fmt.Errorf("post: a receipt that takes nothing: %s", payload), nil
		default:
			return size, nil, nil
		}
	}
}
