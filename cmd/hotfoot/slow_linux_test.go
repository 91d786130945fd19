package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// longRun has attacks come in full; otherwise a tenth of them comes.
const longRun = "HOTFOOT_LONG"

// open is how many descriptors a process has.
func (p *process) open(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	must(t, err)
	return len(entries)
}

// move has the courier report where they are, a step from where they were.
func (s staged) move(t *testing.T, node string, step int) {
	t.Helper()
	call(t, "POST", node+"/v1/courier/positions", s.courierKey, object{
		"lat": 37.7812 + float64(step%100)*1e-5, "lon": -122.4112, "recorded_at": time.Now().UTC().Format(time.RFC3339Nano),
	}, nil, http.StatusAccepted)
}

// healthy is somebody who looks, time after time, while the courier reports once a second, and how long 99 of 100 looks took at most.
func (s staged) healthy(t *testing.T, node string, looks int) time.Duration {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, looks)
	var reported time.Time
	for i := range took {
		if time.Since(reported) > time.Second {
			reported = time.Now()
			s.move(t, node, i)
		}
		began := time.Now()
		response, err := client.Get(node + "/v1/track/" + s.token)
		must(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		must(t, err)
		took[i] = time.Since(began)
		must(t, response.Body.Close())
		if response.StatusCode != http.StatusOK {
			t.Fatal(response.Status)
		}
	}
	slices.Sort(took)
	return took[looks*99/100]
}

// Thousands who begin a request and do not end it, and who open sockets or ask for files and take nothing: others are served as before, and a node is rid of the
// former in seconds although they stay, and of the latter when they go. It is not parallel: it measures time.
func TestServe_slow_clients(t *testing.T) {
	// On a machine that is busy with other tests, what takes no longer than this disturbs nobody.
	half, stalled, looks, unnoticed := 500, 100, 1000, 250*time.Millisecond
	if os.Getenv(longRun) != "" {
		half, stalled, looks, unnoticed = 5000, 1000, 10_000, 0
	}
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	s := d.stage(node.url)
	s.report(t, node.url, "picked_up", "1")
	s.report(t, node.url, "en_route", "2")
	s.healthy(t, node.url, looks/4) // whatever is made once
	before := s.healthy(t, node.url, looks)
	idle := node.open(t)
	address := strings.TrimPrefix(node.url, "http://")
	connect := func(send string) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		must(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
		_, err = io.WriteString(conn, send)
		must(t, err)
		return conn
	}
	socket := "GET /v1/track/" + s.token + "/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	var takers []net.Conn
	for i := range stalled {
		if i%10 == 0 {
			takers = append(takers, connect("GET /map/sf.pmtiles HTTP/1.1\r\nHost: x\r\n\r\n"))
			continue
		}
		conn := connect(socket + "\r\n")
		response, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		must(t, err)
		if response.StatusCode != http.StatusSwitchingProtocols {
			t.Fatal(response.Status)
		}
		takers = append(takers, conn)
	}
	full := node.open(t)
	if full < idle+stalled*9/10 {
		t.Errorf("of %d that take nothing only %d are connected", stalled, full-idle)
	}
	// Until nothing more fits between them and the node, and each report is one more that they do not take.
	for i := range 200 {
		s.move(t, node.url, i)
	}
	// Most say nothing more, and some a byte now and then: neither is waited for longer.
	var dripping sync.WaitGroup
	stop := make(chan struct{})
	for i := range half {
		conn := connect(socket[:1+i%len(socket)])
		if i%10 != 0 {
			continue
		}
		dripping.Go(func() {
			drip := time.NewTicker(time.Second)
			defer drip.Stop()
			for {
				select {
				case <-stop:
					return
				case <-drip.C:
				}
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		})
	}
	// Who connects is connected before the node knows.
	eventually(t, "half handshakes that are held", func() (bool, string) {
		now := node.open(t)
		return now >= full+half/2, fmt.Sprintf("%d of %d", now-full, half)
	})
	during := s.healthy(t, node.url, looks)
	t.Logf("%d half handshakes and %d that take nothing: 99 of 100 looks took %v before and %v meanwhile", half, stalled, before, during)
	if during > max(2*before, unnoticed) {
		t.Errorf("99 of 100 looks took %v, before it were %v", during, before)
	}
	eventually(t, "end of the half handshakes, which their clients hold", func() (bool, string) {
		now := node.open(t)
		return now <= full+10, fmt.Sprintf("%d descriptors, %d before", now, full)
	})
	close(stop)
	dripping.Wait()
	for _, conn := range takers {
		must(t, conn.Close())
	}
	eventually(t, "descriptors as before", func() (bool, string) {
		now := node.open(t)
		return now <= idle+10, fmt.Sprintf("%d descriptors, %d before", now, idle)
	})
	after := s.healthy(t, node.url, looks/4)
	t.Logf("afterwards %v; descriptors %d at first, %d with those that take nothing, %d at the end", after, idle, full, node.open(t))
}
