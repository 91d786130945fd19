package gateway_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/tracking"
)

// frame is any frame that a socket sends.
type frame struct {
	Type        string
	Epoch       int64
	Ver         int64
	SV          int64
	Status      string
	Visible     *bool
	Why         *string
	Live        *bool
	StopsBefore *int      `json:"stops_before"`
	RecordedAt  string    `json:"recorded_at"`
	Position    *position `json:"position"`
	Events      []struct {
		Ver    int64
		Status string
	}
	Courier      *struct{ Name string }
	Code         string
	RetryAfterMS int64 `json:"retry_after_ms"`
	raw          string
}

type position struct {
	Lat, Lon   float64
	RecordedAt string `json:"recorded_at"`
}

// socket is a client that notes every text message.
type socket struct {
	t    *testing.T
	conn *websocket.Conn

	mu     sync.Mutex
	texts  []string
	err    error         // why reading ended
	change chan struct{} // closed and made anew with every message
	done   chan struct{}
}

func url(n *node, path string) string { return "ws" + strings.TrimPrefix(n.server.URL, "http") + path }

func live(n *node, token, since string) string {
	path := "/track/" + token + "/live"
	if since != "" {
		path += "?since=" + since
	}
	return url(n, path)
}

func dialer() *websocket.Dialer {
	return &websocket.Dialer{Subprotocols: []string{"hotfoot.v1", "bearer.not-looked-at-here"}, HandshakeTimeout: patience}
}

// dial opens a socket that reads.
func dial(t *testing.T, address string) *socket {
	t.Helper()
	conn, response, err := dialer().Dial(address, nil)
	if err != nil {
		t.Fatalf("dialling: %v, %v", err, response)
	}
	s := &socket{t: t, conn: conn, change: make(chan struct{}), done: make(chan struct{})}
	go s.read()
	t.Cleanup(s.close)
	return s
}

// watch opens the socket of a delivery's customer and waits for the snapshot.
func (n *node) watch(t *testing.T, r tracking.Record) *socket {
	t.Helper()
	v := dial(t, live(n, n.token(r), ""))
	v.ofType("snapshot", 0)
	return v
}

func (s *socket) read() {
	defer close(s.done)
	for {
		kind, b, err := s.conn.ReadMessage()
		s.mu.Lock()
		if err == nil && kind == websocket.TextMessage {
			s.texts = append(s.texts, string(b))
		}
		s.err = err
		close(s.change)
		s.change = make(chan struct{})
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *socket) close() {
	_ = s.conn.Close()
	<-s.done
}

func (s *socket) send(format string, args ...any) {
	s.t.Helper()
	if err := s.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		s.t.Fatal(err)
	}
}

// heard are all messages up to now.
func (s *socket) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.texts[:len(s.texts):len(s.texts)]
}

// await answers the first message from index on that the test is content with, and the index behind it.
func (s *socket) await(what string, from int, content func(text string) bool) (string, int) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		for i := from; i < len(s.texts); i++ {
			if content(s.texts[i]) {
				text := s.texts[i]
				s.mu.Unlock()
				return text, i + 1
			}
		}
		change, err, texts := s.change, s.err, s.texts
		s.mu.Unlock()
		if err != nil {
			s.t.Fatalf("waiting for %s: the socket ended: %v\nheard:\n%s", what, err, strings.Join(texts, "\n"))
		}
		select {
		case <-change:
		case <-deadline:
			s.t.Fatalf("waited %v for %s\nheard:\n%s", patience, what, strings.Join(texts, "\n"))
		}
	}
}

// until waits for what all messages together say.
func (s *socket) until(what string, holds func() bool) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		change, err := s.change, s.err
		s.mu.Unlock()
		if holds() {
			return
		}
		if err != nil {
			s.t.Fatalf("waiting for %s: the socket ended: %v", what, err)
		}
		select {
		case <-change:
		case <-deadline:
			s.t.Fatalf("waited %v for %s\nheard:\n%s", patience, what, strings.Join(s.heard(), "\n"))
		}
	}
}

// frame is await over decoded frames.
func (s *socket) frame(what string, from int, content func(frame) bool) (frame, int) {
	s.t.Helper()
	text, next := s.await(what, from, func(text string) bool { return content(decode(s.t, text)) })
	return decode(s.t, text), next
}

func (s *socket) ofType(kind string, from int) (frame, int) {
	s.t.Helper()
	return s.frame("a "+kind, from, func(f frame) bool { return f.Type == kind })
}

// ver waits for the frame that brings a ver: a status, or a snapshot of it.
func (s *socket) ver(ver int64) (frame, int) {
	s.t.Helper()
	return s.frame(fmt.Sprintf("ver %d", ver), 0, func(f frame) bool { return f.Ver == ver })
}

// closed waits for the server's close frame and answers its code.
func (s *socket) closed() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatalf("the server does not close\nheard:\n%s", strings.Join(s.heard(), "\n"))
	}
	closed, ok := s.err.(*websocket.CloseError)
	if !ok {
		s.t.Fatalf("reading ended with %v, want a close frame", s.err)
	}
	return closed.Code
}

// last is the frame that came last.
func (s *socket) last() frame {
	s.t.Helper()
	heard := s.heard()
	if len(heard) == 0 {
		s.t.Fatal("nothing was heard")
	}
	return decode(s.t, heard[len(heard)-1])
}

func decode(t *testing.T, text string) frame {
	t.Helper()
	var f frame
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	f.raw = text
	return f
}

// refused dials and answers the HTTP answer that came instead of a socket.
func refused(t *testing.T, address string, header http.Header) *http.Response {
	t.Helper()
	conn, response, err := dialer().Dial(address, header)
	if err == nil {
		_ = conn.Close()
		return response
	}
	if response == nil {
		t.Fatal(err)
	}
	return response
}

// deafDialer opens sockets whose kernel holds next to nothing, so that who does not read is noticed.
func deafDialer() *websocket.Dialer {
	d := dialer()
	d.NetDial = func(network, address string) (net.Conn, error) {
		conn, err := net.Dial(network, address)
		if err == nil {
			_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}
	return d
}
