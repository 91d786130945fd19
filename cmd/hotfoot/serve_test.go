package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServe_ThreeProcesses(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	api, left, right := d.start("api,worker"), d.start("gateway"), d.start("gateway")
	s := d.stage(api.url)
	path := "/v1/track/" + s.token + "/live"

	a, b := watch(t, left, path, ""), watch(t, right, path, "")
	for _, w := range []*watcher{a, b} {
		first := w.until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
		if snapshot := first[0]; snapshot.Ver != 2 || snapshot.Status != "assigned" || snapshot.Visible {
			t.Fatalf("the first frame is a snapshot of what is: got %+v", snapshot)
		}
	}
	s.report(t, api.url, "picked_up", "1")
	s.report(t, api.url, "en_route", "2")
	visible := func(f received) bool { return f.Type == "view" && f.Visible }
	got := map[*watcher][]received{a: a.until("the courier shown", visible), b: b.until("the courier shown", visible)}
	shift := time.Now().Add(-time.Second)
	place := func(n int) {
		// Two fixes of one millisecond would be one to the marker.
		at := shift.Add(time.Duration(n) * 10 * time.Millisecond)
		call(t, "POST", api.url+"/v1/courier/positions", s.courierKey, object{"session": "x", "positions": []object{{
			"seq": n, "lat": 37.7812 + float64(n)/1e4, "lon": -122.4112, "recorded_at": at.UTC().Format(time.RFC3339Nano),
		}}}, nil, http.StatusAccepted)
	}
	for n := range 5 {
		place(n + 1)
	}
	newest := func(f received) bool { return f.Type == "position" && f.Lat > 37.7816 }
	for w := range got {
		got[w] = append(got[w], w.until("the newest position", newest)...)
	}

	// One viewer's node changes: it knows 4 events and comes to the other gateway with that.
	a.close()
	s.report(t, api.url, "arriving", "3")
	again := watch(t, right, path+"?since=1.4", "")
	resumed := again.until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
	s.report(t, api.url, "delivered", "4")
	final := func(f received) bool { return f.Type == "bye" }
	got[b] = append(got[b], b.until("the end", final)...)
	resumed = append(resumed, again.until("the end", final)...)

	t.Run("each viewer sees each status once and in order, also across a reconnect to another node", func(t *testing.T) {
		want := []int64{3, 4, 5, 6}
		if vers := versOf(got[b]); !slices.Equal(vers, want) {
			t.Errorf("the one that stayed saw %v, want %v", vers, want)
		}
		if vers := append(versOf(got[a]), versOf(resumed)...); !slices.Equal(vers, want) {
			t.Errorf("the one that moved saw %v, want %v", vers, want)
		}
	})
	t.Run("the marker never goes back in time", func(t *testing.T) {
		for _, frames := range got {
			var last time.Time
			for _, f := range frames {
				if f.Type == "position" && !f.RecordedAt.After(last) {
					t.Errorf("a position of %s after one of %s", f.RecordedAt, last)
				}
				if f.Type == "position" {
					last = f.RecordedAt
				}
			}
		}
	})
	t.Run("a finished delivery sends its viewers away for good", func(t *testing.T) {
		if code := <-b.closed; code != 4001 {
			t.Errorf("close code %d, want 4001", code)
		}
	})
	t.Run("every accepted point is in Postgres once", func(t *testing.T) {
		eventually(t, "5 rows", func() (bool, string) {
			var rows, distinct int
			must(t, d.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT seq) FROM positions").Scan(&rows, &distinct))
			return rows == 5 && distinct == 5, fmt.Sprintf("%d rows, %d seqs", rows, distinct)
		})
	})
}

// versOf are the versions that a viewer learned of: from status frames, and from the events of a snapshot that it resumed with.
func versOf(frames []received) []int64 {
	var vers []int64
	for _, f := range frames {
		switch f.Type {
		case "status":
			vers = append(vers, f.Ver)
		case "snapshot":
			for _, e := range f.Events {
				vers = append(vers, e.Ver)
			}
		}
	}
	return vers
}

func TestServe_Drain(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	api, gateway := d.start("api,worker"), d.start("gateway")
	s := d.stage(api.url)
	w := watch(t, gateway, "/v1/track/"+s.token+"/live", "")
	w.until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
	began := time.Now()
	gateway.stop(syscall.SIGTERM)
	bye := w.until("goodbye", func(f received) bool { return f.Type == "bye" })
	if last := bye[len(bye)-1]; last.Code != "restarting" {
		t.Errorf("said %+v, want restarting", last)
	}
	if code := <-w.closed; code != 1012 {
		t.Errorf("close code %d, want 1012", code)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if code := gateway.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// eventually waits for a condition; state is what to show when it never holds.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, state := holds()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no %s in time: %s", what, state)
		}
		<-ticker.C
	}
}

// A node on which somebody watches a delivery need not read it for who asks there.
func TestServe_answersWhatIsWatchedFromMemory(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	s := d.stage(node.url)
	read := func() (lines []string) {
		response, err := plainClient.Get(node.admin + "/metrics")
		must(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "hotfoot_records_read_total") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	look := func() { call(t, "GET", node.url+"/v1/track/"+s.token, "", nil, nil, 200) }
	look()
	before := read()
	look()
	if after := read(); slices.Equal(before, after) || len(before) == 0 {
		t.Errorf("while nobody watches nothing is read, either: %q", after)
	}
	watch(t, node, "/v1/track/"+s.token+"/live", "").until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
	awaitThat(t, "ten looks read nothing", func() bool {
		before := read()
		for range 10 {
			look()
		}
		return slices.Equal(before, read())
	})
}
