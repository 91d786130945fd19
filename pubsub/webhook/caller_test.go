package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// receiver is a merchant's server on this machine, which counts who gets as far as sending it a request.
type receiver struct {
	*httptest.Server
	asked atomic.Int64
	port  uint16
}

func newReceiver(t *testing.T, serve http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.asked.Add(1)
		serve(w, request)
	}))
	t.Cleanup(r.Close)
	r.port = netip.MustParseAddrPort(r.Listener.Addr().String()).Port()
	return r
}

// caller calls it under the name example.com, for which its certificate is; where that is DNS says.
func (r *receiver) caller(t *testing.T, dns *nameserver, config Config) (*Caller, Target) {
	t.Helper()
	config.Ports, config.Resolver = []uint16{r.port}, dns.resolver()
	config.Roots = r.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := NewCaller(config)
	t.Cleanup(c.Close)
	target, err := parseTarget("url", fmt.Sprintf("https://example.com:%d", r.port), config.Ports)
	if err != nil {
		t.Fatal(err)
	}
	return c, target
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestCaller_Post(t *testing.T) {
	t.Parallel()
	here := netip.MustParseAddr("127.0.0.1")
	t.Run("brings header and body, and the answer back", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(w http.ResponseWriter, request *http.Request) {
			body, _ := io.ReadAll(request.Body)
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, request.Method+" "+request.Header.Get("Webhook-Id")+" "+string(body))
		})
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback})
		answer, err := c.Post(t.Context(), target, http.Header{"Webhook-Id": {"msg_1"}}, []byte("{}"))
		if err != nil || answer.Status != http.StatusAccepted || string(answer.Body) != "POST msg_1 {}" {
			t.Errorf("%d %q, %v", answer.Status, answer.Body, err)
		}
	})
	t.Run("follows no redirect", func(t *testing.T) {
		t.Parallel()
		elsewhere := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
		r := newReceiver(t, func(w http.ResponseWriter, request *http.Request) {
			http.Redirect(w, request, elsewhere.URL, http.StatusTemporaryRedirect)
		})
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback})
		answer, err := c.Post(t.Context(), target, nil, nil)
		if err != nil || answer.Status != http.StatusTemporaryRedirect || elsewhere.asked.Load() != 0 {
			t.Errorf("%d, %v; elsewhere was asked %d times", answer.Status, err, elsewhere.asked.Load())
		}
	})
	t.Run("reads the beginning of an answer without end", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			for chunk := make([]byte, 32<<10); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		})
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback})
		answer, err := c.Post(t.Context(), target, nil, nil)
		if err != nil || len(answer.Body) != answerBytes {
			t.Errorf("%d bytes, %v", len(answer.Body), err)
		}
	})
	t.Run("waits no longer than it may for an answer that trickles", func(t *testing.T) {
		t.Parallel()
		over := make(chan struct{})
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "so")
			_ = http.NewResponseController(w).Flush()
			<-over
		})
		t.Cleanup(func() { close(over) })
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback, Limit: 200 * time.Millisecond})
		began := time.Now()
		answer, err := c.Post(t.Context(), target, nil, nil)
		if err != nil || string(answer.Body) != "so" || time.Since(began) > 10*time.Second {
			t.Errorf("%q, %v after %v", answer.Body, err, time.Since(began))
		}
	})
	t.Run("gives up on a header without end", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*headerBytes)) })
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback})
		if answer, err := c.Post(t.Context(), target, nil, nil); err == nil {
			t.Errorf("%d", answer.Status)
		}
	})
	t.Run("sends nothing to an address that is not called", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
		for _, at := range []string{"127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254", "64:ff9b::7f00:1"} {
			c, target := r.caller(t, newNameserver(t, netip.MustParseAddr(at)), Config{})
			if _, err := c.Post(t.Context(), target, nil, nil); !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v", at, err)
			}
		}
		if r.asked.Load() != 0 {
			t.Errorf("it was sent %d requests", r.asked.Load())
		}
	})
	t.Run("sends nothing to a port that is not called", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
		c, target := r.caller(t, newNameserver(t, here), Config{Allow: loopback})
		c.config.Ports = []uint16{443}
		if _, err := c.Post(t.Context(), target, nil, nil); !errors.Is(err, ErrRefused) || r.asked.Load() != 0 {
			t.Errorf("%v, asked %d times", err, r.asked.Load())
		}
	})
	// The answer to one question is an address that may be called, at which nobody is, to the next it is this machine: whoever looks up, judges and looks
	// up again connects to the latter.
	t.Run("survives a name server that changes its mind", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
		nobody := netip.MustParseAddr("127.0.0.2")
		dns := newNameserver(t, nobody, here)
		c, target := r.caller(t, dns, Config{Limit: time.Second, Allow: []netip.Prefix{netip.PrefixFrom(nobody, 32)}})
		refused := 0
		for range 20 {
			_, err := c.Post(t.Context(), target, nil, nil)
			switch {
			case err == nil:
				t.Fatal("somebody answered")
			case errors.Is(err, ErrRefused):
				refused++
			}
		}
		if refused != 10 || dns.asked.Load() != 20 || r.asked.Load() != 0 {
			t.Errorf("of %d answers %d were refused, and %d calls came through", dns.asked.Load(), refused, r.asked.Load())
		}
	})
	t.Run("calls nobody for no target", func(t *testing.T) {
		t.Parallel()
		c := NewCaller(Config{})
		t.Cleanup(c.Close)
		if answer, err := c.Post(t.Context(), Target{}, nil, nil); err == nil {
			t.Errorf("%d", answer.Status)
		}
	})
}

// A proxy would connect in our place, to whatever it is told. It is not parallel: the environment is everybody's.
func TestCaller_Post_without_proxy(t *testing.T) {
	proxy := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) {})
	c, target := r.caller(t, newNameserver(t, netip.MustParseAddr("127.0.0.1")), Config{Allow: loopback})
	if _, err := c.Post(t.Context(), target, nil, nil); err != nil || r.asked.Load() != 1 || proxy.asked.Load() != 0 {
		t.Errorf("%v; the receiver was asked %d times, the proxy %d", err, r.asked.Load(), proxy.asked.Load())
	}
}

// nameserver answers each question for an address with the next of its answers, in turn.
type nameserver struct {
	conn    net.PacketConn
	answers []netip.Addr
	asked   atomic.Int64
}

func newNameserver(t *testing.T, answers ...netip.Addr) *nameserver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameserver{conn: conn, answers: answers}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return n
}

func (n *nameserver) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *nameserver) serve() {
	for packet := make([]byte, 1500); ; {
		size, from, err := n.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(packet[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		q := m.Questions[0]
		answer := n.answers[int(n.asked.Load())%len(n.answers)]
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
		switch {
		case q.Type == dnsmessage.TypeA && answer.Is4():
			m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: answer.As4()}}}
			n.asked.Add(1)
		case q.Type == dnsmessage.TypeAAAA && answer.Is6():
			m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: answer.As16()}}}
			n.asked.Add(1)
		}
		if packed, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(packed, from)
		}
	}
}
