package pubsub

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Times of a connection. Whether it lives is told by its canary: somebody tells it something every second by way of the ordinary client, and silence is
// taken for death. TCP alone would not notice for minutes that a peer is gone without a word.
const (
	canaryEvery  = time.Second
	canaryLimit  = 2500 * time.Millisecond
	greetLimit   = time.Second
	subscribeMax = 500 // channels in one command
)

// connection is one connection to Redis on which channels are subscribed to. The library's own takes several microseconds and allocations for each
// message: it serves us for everything else.
type connection struct {
	net.Conn
	reader  reader
	sharded bool
	address string
	canary  string       // a channel that nobody else knows
	sung    atomic.Int64 // how often Redis has taken what the canary says
}

// movedError says that a slot is served elsewhere.
type movedError struct{ to string } // "" when it was not said where

func (e *movedError) Error() string { return "its slot has moved to " + cmp.Or(e.to, "another master") }

// dial connects with a client's options, to another address if one is given, and returns once the canary's channel is confirmed.
func dial(ctx context.Context, o *redis.Options, address, group string, sharded bool, limit time.Duration) (*connection, error) {
	address = cmp.Or(address, o.Addr)
	conn, err := o.Dialer(ctx, o.Network, address)
	if err != nil {
		return nil, err
	}
	c := &connection{
		Conn: conn, sharded: sharded, address: address, canary: key.Canary(group, rand.Text()),
		reader: reader{conn: unwatched(conn), limit: min(limit, greetLimit), buffer: make([]byte, bufferSize)},
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err = c.greet(o.Username, o.Password)
	if !stop() {
		err = cmp.Or(ctx.Err(), err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	c.reader.limit = limit
	return c, nil
}

func (c *connection) greet(username, password string) error {
	var b []byte
	switch {
	case username != "":
		b = appendCommand(b, "AUTH", username, password)
	case password != "":
		b = appendCommand(b, "AUTH", password)
	}
	b = appendCommand(b, c.word("SUBSCRIBE"), c.canary)
	if err := c.write(b); err != nil {
		return err
	}
	for {
		f, err := c.reader.next()
		if err != nil {
			return err
		}
		switch f.kind {
		case subscribed:
			return nil
		case refused:
			return c.refusal(f.payload)
		}
	}
}

// subscribe asks for channels, many in one command; unsubscribe gives them up.
func (c *connection) subscribe(names []string) error   { return c.tell("SUBSCRIBE", names) }
func (c *connection) unsubscribe(names []string) error { return c.tell("UNSUBSCRIBE", names) }

func (c *connection) tell(verb string, names []string) error {
	for some := range slices.Chunk(names, subscribeMax) {
		if err := c.write(appendCommand(nil, c.word(verb), some...)); err != nil {
			return err
		}
	}
	return nil
}

// word is a verb's form for channels that belong to a slot.
func (c *connection) word(verb string) string {
	if c.sharded {
		return "S" + verb
	}
	return verb
}

func (c *connection) write(b []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.reader.limit)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}

// refusal is the error that Redis has answered.
func (c *connection) refusal(text []byte) error {
	fields := strings.Fields(string(text))
	if len(fields) != 3 || fields[0] != "MOVED" {
		return fmt.Errorf("the server says %q", text)
	}
	host, port, err := net.SplitHostPort(fields[2])
	if err != nil {
		return errors.Join(fmt.Errorf("the server says %q", text), err)
	}
	if host == "" { // that is: the one which you are talking to
		host, _, _ = net.SplitHostPort(c.address)
	}
	return &movedError{to: net.JoinHostPort(host, port)}
}

func appendCommand(b []byte, verb string, arguments ...string) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(1+len(arguments)), 10)
	b = appendBulk(append(b, "\r\n"...), verb)
	for _, a := range arguments {
		b = appendBulk(b, a)
	}
	return b
}

func appendBulk(b []byte, text string) []byte {
	b = append(b, '$')
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, "\r\n"...)
	b = append(b, text...)
	return append(b, "\r\n"...)
}
