//go:build linux

package feed

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Encode writes a topic's update as a server takes it.
type Encode func(b []byte, topic int, p Update) []byte

// Feed is a connection to where a server takes updates.
type Feed struct {
	conn    net.Conn
	encode  Encode
	reading sync.WaitGroup
	refused atomic.Int64
}

// Dial connects; the caller must close. What is answered is read and forgotten, but for errors of Redis.
func Dial(ctx context.Context, network, address string, encode Encode) (*Feed, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	f := &Feed{conn: conn, encode: encode}
	f.reading.Go(f.read)
	return f, nil
}

func (f *Feed) read() {
	lines := bufio.NewScanner(f.conn)
	for lines.Scan() {
		if b := lines.Bytes(); len(b) > 0 && b[0] == '-' {
			f.refused.Add(1)
		}
	}
}

// Run sends the groups of a schedule to so many topics in turn, until ctx ends. A group that is late is sent at once. It may be called once: the last
// group can have been cut off in the middle.
func (f *Feed) Run(ctx context.Context, s Schedule, topics int) error {
	defer context.AfterFunc(ctx, func() { _ = f.conn.SetWriteDeadline(time.Unix(1, 0)) })()
	var b []byte
	for group := 0; ctx.Err() == nil; group++ {
		due := s.At(group)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		}
		update := newUpdate(group, due)
		b = b[:0]
		for i := range s.PerGroup {
			b = f.encode(b, (group*s.PerGroup+i)%topics, update)
		}
		if _, err := f.conn.Write(b); err != nil && ctx.Err() == nil {
			return fmt.Errorf("feed: %w", err)
		}
	}
	if n := f.refused.Load(); n > 0 {
		return fmt.Errorf("feed: %d updates were refused", n)
	}
	return nil
}

// Close ends the connection and waits for its reader.
func (f *Feed) Close() {
	_ = f.conn.Close()
	f.reading.Wait()
}
