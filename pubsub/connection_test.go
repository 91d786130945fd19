package pubsub

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

func TestConnection_credentials(t *testing.T) {
	t.Parallel()
	serverURL := storetest.RedisURL(t)
	admin := connect(t, serverURL)
	must(t, admin.Do(t.Context(), "ACL", "SETUSER", "hotfoot", "on", ">by name", "allchannels", "allkeys", "+@all").Err())
	must(t, admin.ConfigSet(t.Context(), "requirepass", "by word").Err())
	path := strings.TrimPrefix(strings.TrimSuffix(serverURL, "?db=0"), "unix://")
	at := func(user *url.Userinfo) string { return (&url.URL{Scheme: "unix", User: user, Path: path}).String() }
	for name, user := range map[string]*url.Userinfo{
		"a password":            url.UserPassword("", "by word"),
		"a user and a password": url.UserPassword("hotfoot", "by name"),
	} {
		t.Run(name, func(t *testing.T) {
			client := connect(t, at(user))
			s := NewSubscriber(client, silent)
			run(t, s.Run)
			e := newEar()
			ready(t, s.Subscribe("news "+name, e.listener()))
			mustPublish(t, client, "news "+name, "hello", 1)
			e.hears(t, "hello", 1)
		})
	}
	for name, user := range map[string]*url.Userinfo{"no password": nil, "a wrong one": url.UserPassword("hotfoot", "by heart")} {
		t.Run(name, func(t *testing.T) {
			log := newJournal()
			s := NewSubscriber(connect(t, at(user)), log.logger())
			run(t, s.Run)
			sub := s.Subscribe("news", newEar().listener())
			log.says(t, "there is no Pub/Sub connection", 1)
			if sub.Live() || s.Lanes() > 0 || !strings.Contains(log.String(), "NOAUTH") && !strings.Contains(log.String(), "WRONGPASS") {
				t.Errorf("it says: %s", log)
			}
		})
	}
}

func TestConnection_TLS(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(storetest.RedisURL(t))
	must(t, err)
	site := httptest.NewTLSServer(nil) // for its certificate
	defer site.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: site.TLS.Certificates})
	must(t, err)
	bridge(t, listener, func() (net.Conn, error) { return net.Dial("unix", server.Path) })

	client := connect(t, "rediss://"+listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AddCert(site.Certificate())
	client.(*redis.Client).Options().TLSConfig.RootCAs = roots
	s := NewSubscriber(client, silent)
	run(t, s.Run)
	e := newEar()
	ready(t, s.Subscribe("news", e.listener()))
	for _, message := range []string{"", "hello", strings.Repeat("long", 100_000)} {
		mustPublish(t, client, "news", message, 1)
		e.hears(t, message, 1)
	}
}

// bridge joins every connection that is taken to another that is dialled, until the test ends.
func bridge(t *testing.T, listener net.Listener, dial func() (net.Conn, error)) {
	t.Helper()
	var joined sync.WaitGroup
	joined.Go(func() {
		for {
			a, err := listener.Accept()
			if err != nil {
				return
			}
			b, err := dial()
			must(t, err)
			for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
				joined.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		joined.Wait()
	})
}

// impostor is a server that answers whoever asks it for a channel as a test wants.
func impostor(t *testing.T, says func(channel string) string) (address string, greeted *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	greeted = &atomic.Int64{}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				in := bufio.NewReader(conn)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					line = strings.TrimSpace(line)
					canary := strings.Contains(line, ":canary:")
					if canary {
						greeted.Add(1)
					}
					if canary || line == "news" {
						_, _ = io.WriteString(conn, says(line))
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String(), greeted
}

func confirmation(verb, name string) string {
	return fmt.Sprintf("*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1\r\n", len(verb), verb, len(name), name)
}

// Whatever a server says, its listeners are not live for longer than it says so, and it is not asked in a hurry.
func TestConnection_impostors(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ greeting, then, reason string }{
		"a frame of 900 megabytes": {"", "*3\r\n$7\r\nmessage\r\n$900000000\r\n", "900000000 bytes"},
		"another protocol":         {"HTTP/1.1 400 Bad Request\r\n\r\n", "", "begins with"},
		"loading":                  {"-LOADING Redis is loading the dataset in memory\r\n", "", "LOADING"},
		"sent away from one place": {"-MOVED 1 nowhere\r\n", "", "nowhere"},
		"sent to nobody":           {"-MOVED 1 127.0.0.1:1\r\n", "", "127.0.0.1:1"},
		"sent in circles":          {"-MOVED 1 :%s\r\n", "", "moved to 127.0.0.1"},
		"taken away at once":       {"", confirmation("unsubscribe", "news"), "moved to another"},
		"an error later":           {"", "-ERR no more\r\n", "no more"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var port string
			began := time.Now()
			address, greeted := impostor(t, func(channel string) string {
				switch {
				case c.greeting != "":
					return strings.ReplaceAll(c.greeting, "%s", port)
				case channel == "news":
					return confirmation("subscribe", "news") + c.then
				}
				return confirmation("subscribe", channel)
			})
			_, port, _ = net.SplitHostPort(address)
			client := connect(t, "redis://"+address)
			log := newJournal()
			s := NewSubscriber(client, log.logger())
			run(t, s.Run)
			e := newEar()
			s.Subscribe("news", e.listener())
			log.says(t, "there is no Pub/Sub connection", 1)
			for start := greeted.Load(); greeted.Load() < start+4; {
				<-time.After(time.Millisecond)
			}
			if !strings.Contains(log.String(), c.reason) {
				t.Errorf("it says: %s", log)
			}
			// One that confirms makes it live until the next thing that it says, and no longer.
			rounds := 0
			if c.greeting == "" {
				rounds = 3
			}
			heard := strings.Join(e.hears(t, "-", rounds), "")
			if want := strings.Repeat("+-", rounds); !strings.HasPrefix(heard, want) || rounds == 0 && heard != "" {
				t.Errorf("it was live in turns of %q, want %q", heard, want)
			}
			// Each round takes an eighth of a second at least, and a master may send it on a few times within one.
			if rate := float64(greeted.Load()) / (time.Since(began).Seconds() + 0.25); rate > 8*(hopsMax+1) {
				t.Errorf("it asks %.0f times a second", rate)
			}
		})
	}
}

// A master that has given a slot away says to whom. Nobody else knows it sooner.
func TestConnection_goes_where_it_is_sent(t *testing.T) {
	t.Parallel()
	there, _ := impostor(t, func(channel string) string {
		return confirmation("subscribe", channel) + messageOn("message", "news", "hello")
	})
	here, _ := impostor(t, func(string) string { return "-MOVED 1 " + there + "\r\n" })
	s := NewSubscriber(connect(t, "redis://"+here), silent)
	run(t, s.Run)
	e := newEar()
	ready(t, s.Subscribe("news", e.listener()))
	e.hears(t, "hello", 1)
}

func TestConnection_refusal(t *testing.T) {
	t.Parallel()
	c := &connection{address: "10.0.0.1:7000"}
	for text, want := range map[string]string{
		"MOVED 866 127.0.0.1:7001": "its slot has moved to 127.0.0.1:7001", "MOVED 866 :7002": "its slot has moved to 10.0.0.1:7002",
		"MOVED 866 [::1]:7003": "its slot has moved to [::1]:7003", "MOVED 866 redis-2.example:7004": "its slot has moved to redis-2.example:7004",
		"MOVED": `the server says "MOVED"`, "NOPERM no": `the server says "NOPERM no"`, "": `the server says ""`,
	} {
		if got := c.refusal([]byte(text)).Error(); got != want {
			t.Errorf("%q is taken for %q, want %q", text, got, want)
		}
	}
}
