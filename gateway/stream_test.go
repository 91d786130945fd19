package gateway_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/tracking"
)

// event is a server-sent event.
type event struct {
	kind, id string
	frame    frame
}

// stream is a client of server-sent events that notes everything.
type stream struct {
	t        *testing.T
	response *http.Response
	mu       sync.Mutex
	events   []event
	done     chan struct{}
}

func (n *node) stream(t *testing.T, r tracking.Record, lastEventID string) *stream {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.server.URL+"/track/"+n.token(r)+"/events", nil)
	must(t, err)
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	must(t, err)
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s, %v", response.Status, response.Header)
	}
	s := &stream{t: t, response: response, done: make(chan struct{})}
	go s.read()
	t.Cleanup(func() {
		_ = response.Body.Close()
		<-s.done
		transport.CloseIdleConnections()
	})
	return s
}

func (s *stream) read() {
	defer close(s.done)
	lines := bufio.NewScanner(s.response.Body)
	lines.Buffer(nil, 1<<20)
	var e event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			e.frame = decode(s.t, value)
		case "":
			s.mu.Lock()
			s.events = append(s.events, e)
			s.mu.Unlock()
			e = event{}
		}
	}
}

// await answers the first event of a kind from index on, and the index behind it.
func (s *stream) await(kind string, from int) (event, int) {
	s.t.Helper()
	for deadline, over := time.Now().Add(patience), false; time.Now().Before(deadline); {
		s.mu.Lock()
		for i := from; i < len(s.events); i++ {
			if s.events[i].kind == kind {
				defer s.mu.Unlock()
				return s.events[i], i + 1
			}
		}
		s.mu.Unlock()
		if over {
			s.t.Fatalf("the stream ended without a %s: %+v", kind, s.events)
		}
		select {
		case <-s.done:
			over = true // and all that it brought is there to be looked at
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.t.Fatalf("no %s came: %+v", kind, s.events)
	return event{}, 0
}

func (s *stream) ended(t *testing.T) event {
	t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		t.Fatal("the stream does not end")
	}
	return s.events[len(s.events)-1]
}

func TestCustomers_Events(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.nodeOver(nodeParts{tune: func(server *httptest.Server) { server.Config.ReadTimeout = 500 * time.Millisecond }})
	t.Run("sends what a socket is sent, and resumes from the last event's id", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp)
		v, socket := n.stream(t, r, ""), n.watch(t, r)
		first, at := v.await("snapshot", 0)
		if first.id != "1.3" || first.frame.Type != "snapshot" || len(first.frame.Events) != 3 {
			t.Errorf("it begins with %+v", first)
		}
		s.report(phone, r, tracking.EnRoute)
		status, at := v.await("status", at)
		view, at := v.await("view", at)
		s.move(phone, 37.78, -122.41)
		p, _ := v.await("position", at)
		if status.id != "1.4" || view.id != "1.4" || p.id != "1.4" {
			t.Errorf("the ids are %s, %s and %s, want 1.4", status.id, view.id, p.id)
		}
		socket.ofType("position", 0)
		for _, e := range []event{status, view, p} {
			socket.await("the same "+e.kind, 0, func(text string) bool { return text == e.frame.raw })
		}
		again := n.stream(t, r, status.id)
		if snapshot, _ := again.await("snapshot", 0); len(snapshot.frame.Events) != 0 || snapshot.id != "1.4" {
			t.Errorf("it resumes with %+v", snapshot)
		}
		s.report(phone, r, tracking.Arriving)
		s.report(phone, r, tracking.Delivered)
		if last := again.ended(t); last.kind != "bye" || last.frame.Code != "finished" || last.id != "1.6" {
			t.Errorf("it ends with %+v", last)
		}
	})
	t.Run("goes on longer than a request may take to be read", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone)
		v := n.stream(t, r, "")
		v.await("snapshot", 0)
		v.await("tick", 0)
		s.report(phone, r, tracking.PickedUp)
		v.await("status", 0)
	})
	t.Run("is not there for a token that opens nothing", func(t *testing.T) {
		t.Parallel()
		response, err := http.Get(fmt.Sprintf("%s/track/%s/events", n.server.URL, s.linker.Token(tracking.NewID(), 0)))
		must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != 404 {
			t.Errorf("%s", response.Status)
		}
	})
}
