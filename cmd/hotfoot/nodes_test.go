package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/trackingtest"
)

// linkSecret seals the links of every deployment.
const linkSecret = "a secret that is used in tests and nowhere else"

// asHotfoot turns the test binary into the product: the tests start it as the processes of a real deployment.
const asHotfoot = "HOTFOOT_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asHotfoot) == "" {
		if err := os.Setenv(asHotfoot, "1"); err != nil { // for whatever is started from here
			panic(err)
		}
		storetest.Main(m)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// deployment is a database, a Redis and whatever processes a test starts over them.
type deployment struct {
	t           *testing.T
	env         []string
	pool        *pgxpool.Pool
	merchantKey string
	opsKey      string
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	databaseURL := storetest.PostgresURL(t)
	pool, err := postgres.Connect(databaseURL, 4)
	must(t, err)
	t.Cleanup(pool.Close)
	d := &deployment{t: t, pool: pool}
	store := postgres.New(pool, nil)
	d.merchantKey, err = createKey(t.Context(), store, "Corner Kitchen", tracking.RoleMerchant, "", 0)
	must(t, err)
	d.opsKey, err = createKey(t.Context(), store, "Corner Kitchen", tracking.RoleOps, "", 0)
	must(t, err)
	d.env = append(os.Environ(), "DATABASE_URL="+databaseURL, "REDIS_URL="+storetest.RedisURL(t),
		"HOTFOOT_SECRET="+linkSecret, "HOTFOOT_LISTEN=127.0.0.1:0", "HOTFOOT_ADMIN_LISTEN=127.0.0.1:0",
		"HOTFOOT_LOG_JSON=1")
	return d
}

// process is one running node.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	admin string
	logs  *logs
	guard *trackingtest.Guard
}

// command is hotfoot with these words, in the deployment's environment.
func (d *deployment) command(words ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], words...)
	cmd.Env = d.env
	return cmd
}

// nodeRole is what nodes without a worker sign in to Postgres as.
const nodeRole = "hotfoot_node"

// start runs a node with these roles and waits until it serves. One that is no worker may not change the schema, as docs/security/database.md has it.
func (d *deployment) start(roles string) *process {
	d.t.Helper()
	p := &process{t: d.t, cmd: d.command("serve", "--roles", roles), logs: &logs{}, guard: trackingtest.NewGuard(d.t, linkSecret)}
	if !strings.Contains(roles, roleWorker) {
		p.cmd.Env = append(slices.Clip(d.env), "DATABASE_URL="+storetest.URLAs(d.t, d.pool, nodeRole, postgres.New(d.pool, nil).Grant))
	}
	said := p.guard.Log(d.t, p.logs)
	p.cmd.Stdout = said
	out, err := p.cmd.StderrPipe()
	must(d.t, err)
	must(d.t, p.cmd.Start())
	serving := make(chan struct{ Address, Admin string }, 1)
	p.logs.reading.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			_, _ = io.WriteString(said, lines.Text()+"\n")
			var line struct{ Msg, Address, Admin string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
				serving <- struct{ Address, Admin string }{line.Address, line.Admin}
			}
		}
	})
	d.t.Cleanup(func() {
		p.guardMetrics()
		p.stop(syscall.SIGTERM)
	})
	select {
	case s := <-serving:
		p.url, p.admin = "http://"+s.Address, "http://"+s.Admin
	case <-time.After(20 * time.Second):
		d.t.Fatalf("a node with roles %s does not serve:\n%s", roles, p.logs)
	}
	return p
}

// guardMetrics fails the test if a secret stands in the metrics of a process that still runs.
func (p *process) guardMetrics() {
	response, err := plainClient.Get(p.admin + "/metrics")
	if err != nil {
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if found := p.guard.Found(string(text)); err == nil && len(found) > 0 {
		p.t.Errorf("%q stand in the metrics", found)
	}
}

// stop ends the process and waits for it.
func (p *process) stop(signal os.Signal) {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(signal)
	p.logs.reading.Wait()
	_ = p.cmd.Wait()
	if p.t.Failed() {
		p.t.Logf("%s said:\n%s", strings.Join(p.cmd.Args[1:], " "), p.logs)
	}
}

// logs keeps what a process said.
type logs struct {
	reading sync.WaitGroup
	mu      sync.Mutex
	text    strings.Builder
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// call makes a request and decodes the answer; the status must be as wanted.
func call(t *testing.T, method, url, key string, body, answer any, want int) {
	t.Helper()
	encoded, err := json.Marshal(body)
	must(t, err)
	if body == nil {
		encoded = nil
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(encoded))
	must(t, err)
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := plainClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	if found := trackingtest.NewGuard(t, linkSecret).Found(string(text)); response.StatusCode >= 400 && len(found) > 0 {
		t.Errorf("%s %s is refused with a body that holds %q", method, url, found)
	}
	if response.StatusCode != want {
		t.Fatalf("%s %s: %d, want %d: %s", method, url, response.StatusCode, want, text)
	}
	if answer != nil {
		must(t, json.Unmarshal(text, answer))
	}
}

// plainClient keeps no connection, so that none is left when the goroutines are counted.
var plainClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}

type object = map[string]any

// staged is a courier on duty with one delivery.
type staged struct {
	courierID, courierKey string
	deliveryID, token     string
}

func (d *deployment) stage(api string) staged {
	d.t.Helper()
	var courier struct{ ID, Token string }
	call(d.t, "POST", api+"/v1/couriers", d.merchantKey, object{"name": "Sam", "vehicle": "bike"}, &courier, 201)
	call(d.t, "PUT", api+"/v1/courier/shift", courier.Token, object{"on_duty": true}, nil, 200)
	var delivery struct {
		ID    string
		Token string `json:"tracking_token"`
	}
	call(d.t, "POST", api+"/v1/deliveries", d.merchantKey, object{
		"pickup": object{"lat": 37.7812, "lon": -122.4112, "name": "Corner Kitchen"}, "dropoff": object{"lat": 37.7893, "lon": -122.401, "address": "1 Main Street"},
		"courier_id": courier.ID,
	}, &delivery, 201)
	return staged{courierID: courier.ID, courierKey: courier.Token, deliveryID: delivery.ID, token: delivery.Token}
}

func (s staged) report(t *testing.T, api, status, id string) {
	t.Helper()
	call(t, "POST", api+"/v1/courier/deliveries/"+s.deliveryID+"/status", s.courierKey, object{"status": status, "client_event_id": id}, nil, 200)
}

// received is one frame as a viewer gets it.
type received struct {
	Type    string
	Ver, SV int64
	Status  string
	Visible bool
	Why     string
	Events  []struct {
		Ver    int64
		Status string
	}
	Lat, Lon   float64
	Position   *struct{ Lat, Lon float64 }
	RecordedAt time.Time `json:"recorded_at"`
	Couriers   []struct {
		ID       string
		Lat, Lon float64
	}
	Code         string
	RetryAfterMS int64 `json:"retry_after_ms"`
}

// watcher is a socket whose frames are read as they come.
type watcher struct {
	t      *testing.T
	socket *websocket.Conn
	frames chan received
	closed chan int // the close code, once
	done   sync.WaitGroup
}

// watch opens a socket; header may hold a key.
func watch(t *testing.T, node *process, path string, key string) *watcher {
	t.Helper()
	header := http.Header{}
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"hotfoot.v1"}, HandshakeTimeout: 10 * time.Second}
	socket, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(node.url, "http")+path, header)
	if err != nil {
		t.Fatalf("opening %s: %v (%v)", path, err, response)
	}
	w := &watcher{t: t, socket: socket, frames: make(chan received, 10_000), closed: make(chan int, 1)}
	w.done.Go(func() {
		defer close(w.frames)
		for {
			_, text, err := socket.ReadMessage()
			if err != nil {
				if closing, ok := err.(*websocket.CloseError); ok {
					w.closed <- closing.Code
				} else {
					w.closed <- 0
				}
				return
			}
			var f received
			if err := json.Unmarshal(text, &f); err != nil {
				t.Errorf("a frame that is no JSON: %s", text)
			}
			w.frames <- f
		}
	})
	t.Cleanup(w.close)
	return w
}

func (w *watcher) close() {
	_ = w.socket.Close()
	w.done.Wait()
}

// until reads frames up to one that fits, and answers all of them.
func (w *watcher) until(what string, fits func(received) bool) []received {
	w.t.Helper()
	var seen []received
	deadline := time.After(15 * time.Second)
	for {
		select {
		case f, ok := <-w.frames:
			if !ok {
				w.t.Fatalf("the socket closed before %s; seen: %+v", what, seen)
			}
			seen = append(seen, f)
			if fits(f) {
				return seen
			}
		case <-deadline:
			w.t.Fatalf("no %s in time; seen: %+v", what, seen)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
