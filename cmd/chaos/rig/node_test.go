package rig

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary stands in for the program under test: it serves, answers on its admin address, and dies when told to.
const asNode = "CHAOS_TEST_NODE"

func TestMain(m *testing.M) {
	switch os.Getenv(asNode) {
	case "":
	case "refuse":
		fmt.Fprintln(os.Stderr, "not like this")
		os.Exit(1)
	default:
		serve()
		return
	}
	goleak.VerifyTestMain(m)
}

func serve() {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		return l
	}
	public, admin := listen(), listen()
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# HELP go_goroutines x\ngo_goroutines 7\nhotfoot_sockets{kind=\"ops\"} 2\n")
	})
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("HOTFOOT_FAILPOINTS")) })
	go http.Serve(public, mux)
	go http.Serve(admin, mux)
	slog.New(slog.NewJSONHandler(os.Stderr, nil)).Info("serving", "address", public.Addr().String(), "admin", admin.Addr().String())
	<-terminated
}

func startNode(t *testing.T) *Node {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{
		Name: "node", hotfoot: program, env: append(os.Environ(), asNode+"=1"), log: filepath.Join(t.TempDir(), "log"),
		fail: func(err error) { t.Error(err) },
	}
	t.Cleanup(n.close)
	if _, err := n.start(nil, nil); err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
		<-time.After(time.Millisecond)
	}
}

// get answers a body, or why there is none.
func get(n *Node, path string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	response, err := client.Get(n.URL() + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body := make([]byte, 100)
	m, _ := response.Body.Read(body)
	return string(body[:m]), nil
}

func TestNode(t *testing.T) {
	t.Parallel()
	t.Run("dies, is blamed for nothing meanwhile, and comes back with an environment of one life", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		began := time.Now()
		if n.Troubled(began) {
			t.Error("troubled before any fault")
		}
		first := n.URL()
		n.Kill()
		if n.URL() != "" || !n.Troubled(time.Now()) {
			t.Error("a dead node has an address, or no trouble")
		}
		n.Restart("HOTFOOT_FAILPOINTS=x")
		if n.URL() == "" || n.URL() == first {
			t.Errorf("the new life is at %q, the first was at %q", n.URL(), first)
		}
		if env, err := get(n, "/env"); env != "x" || err != nil {
			t.Errorf("environment %q, %v", env, err)
		}
		if n.Troubled(time.Now()) || !n.Troubled(began) {
			t.Error("it must be troubled for those who asked before its death, and for nobody else")
		}
		n.Restart()
		if env, _ := get(n, "/env"); env != "" {
			t.Errorf("the environment %q outlives its life", env)
		}
		if n.Deaths() != 0 {
			t.Error("our own kills count as deaths")
		}
	})
	t.Run("is started again when it dies by itself, if that was asked for", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.Supervise("HOTFOOT_FAILPOINTS=y")
		for i := range 2 {
			before := n.URL()
			_, _ = get(n, "/die")
			until(t, "the next life", func() bool { return n.Deaths() == i+1 && n.URL() != "" && n.URL() != before })
		}
		if env, err := get(n, "/env"); env != "y" || err != nil {
			t.Errorf("environment %q, %v", env, err)
		}
	})
	t.Run("stays dead otherwise", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		_, _ = get(n, "/die")
		until(t, "its death", func() bool { return n.Deaths() == 1 })
		if n.URL() != "" {
			t.Error("it has an address")
		}
		n.recover()
		if n.URL() == "" {
			t.Error("it was not brought back")
		}
	})
	t.Run("pauses and resumes", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.Pause()
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /env HTTP/1.0\r\n\r\n")
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if got, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("a paused node answered %d bytes", got)
		}
		if !n.Troubled(time.Now()) {
			t.Error("not troubled")
		}
		n.recover()
		if _, err := get(n, "/env"); err != nil {
			t.Error(err)
		}
	})
	t.Run("stops in order when asked", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		if took := n.Terminate(); took > 5*time.Second || n.URL() != "" {
			t.Errorf("took %v, is at %q", took, n.URL())
		}
	})
	t.Run("tells its vitals, metrics and log", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		v, err := n.Vitals(t.Context())
		if err != nil || v.Goroutines != 7 {
			t.Errorf("%+v, %v", v, err)
		}
		if _, err := os.Stat("/proc/self/fd"); err == nil && (v.Files < 3 || v.Memory < 1<<20) {
			t.Errorf("%+v", v)
		}
		metrics, err := n.Metrics(t.Context())
		if err != nil || metrics[`hotfoot_sockets{kind="ops"}`] != 2 {
			t.Errorf("%v, %v", metrics, err)
		}
		if !strings.Contains(n.Log(), `"serving"`) {
			t.Errorf("log %q", n.Log())
		}
	})
	t.Run("is tried with other settings, beside the one that serves", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		url := n.URL()
		if serves, said := n.Try(); !serves || !strings.Contains(said, `"serving"`) {
			t.Errorf("serves: %t; it said %q", serves, said)
		}
		if serves, said := n.Try(asNode + "=refuse"); serves || !strings.Contains(said, "not like this") {
			t.Errorf("one that refuses serves: %t; it said %q", serves, said)
		}
		if n.URL() != url || n.Deaths() != 0 {
			t.Error("the node that serves has noticed")
		}
	})
	t.Run("that does not serve is told with its last words", func(t *testing.T) {
		t.Parallel()
		n := &Node{Name: "node", hotfoot: "/bin/sh", log: filepath.Join(t.TempDir(), "log"), fail: func(error) {}}
		defer n.close()
		if _, err := n.start(nil, nil); err == nil || !strings.Contains(err.Error(), "serve") {
			t.Errorf("%v", err)
		}
	})
}
