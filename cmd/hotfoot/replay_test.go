package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotfoot/cmd/hotfoot/fleet"
	"hotfoot/cmd/hotfoot/trackfile"
	"hotfoot/tracking"
)

// replaySpeed makes three recorded hours take about half a minute.
const replaySpeed = 360

// TestReplay_Cabs plays 15 recorded San Francisco cabs through the public API of a real server: onto a customer's socket, onto the live map, and
// into Postgres.
func TestReplay_Cabs(t *testing.T) {
	t.Parallel()
	data := os.Getenv("HOTFOOT_TESTDATA")
	if data == "" {
		t.Skip("HOTFOOT_TESTDATA is not set: the recorded cabs are not here")
	}
	file := filepath.Join(data, "traces/sf-cabs/couriers15-2008-06-04T17-20PDT.csv")
	tracks, err := trackfile.ReadFile(file)
	must(t, err)
	points := 0
	for _, track := range tracks {
		points += len(track.Points)
	}
	d := newDeployment(t)
	d.env = append(d.env, fmt.Sprintf("HOTFOOT_MAX_SPEED_MPS=%d", tracking.MaxSpeedMPS*replaySpeed))
	node := d.start("api,gateway,worker")
	live := watch(t, node, "/v1/ops/live", d.opsKey)
	must(t, live.socket.WriteJSON(object{"type": "view", "bbox": []float64{-122.6, 37.6, -122.2, 37.9}, "zoom": 12}))

	ready := make(chan string, 1)
	replay, err := fleet.NewReplay(fleet.ReplayConfig{
		BaseURL: node.url, MerchantKey: d.merchantKey, Tracks: tracks, Speed: replaySpeed, Transport: plainClient.Transport,
		OnReady: func(_ []fleet.CourierRef, deliveries []fleet.DeliveryRef) { ready <- deliveries[0].TrackingToken },
	})
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- replay.Run(t.Context()) }()
	customer := watch(t, node, "/v1/track/"+<-ready+"/live", "")
	moved := customer.until("a first position", func(f received) bool { return f.Type == "position" })
	first := moved[len(moved)-1]
	customer.until("the marker elsewhere", func(f received) bool { return f.Type == "position" && f.Lat != first.Lat })
	seen := map[string]bool{}
	live.until("all cabs on the live map", func(f received) bool {
		for _, c := range f.Couriers {
			seen[c.ID] = true
		}
		return len(seen) == len(tracks)
	})
	must(t, <-ended)

	report := replay.Report()
	if report.Points != points || report.Durable != points || len(report.Rejected) > 0 || len(report.Suspect) > 0 {
		t.Errorf("the replay reports %+v, want %d points, all durable", report, points)
	}
	var rows, distinct int
	must(t, d.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT (courier_id, session, seq)) FROM positions").Scan(&rows, &distinct))
	if rows != points || distinct != points {
		t.Errorf("%d rows and %d points in Postgres, want %d of each", rows, distinct, points)
	}
}

func TestRun_Help(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"demo", "--help"}, {"serve", "--help"}, {"migrate", "up", "--help"}, {"keys", "create", "--help"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Parallel()
			var out, err bytes.Buffer
			if code := run(t.Context(), args, &out, &err); code != 0 || !strings.Contains(out.String(), "Usage: hotfoot") {
				t.Errorf("exit code %d, out %q, err %q", code, out.String(), err.String())
			}
		})
	}
	t.Run("a command that lacks something says what to do", func(t *testing.T) {
		t.Parallel()
		var out, err bytes.Buffer
		code := run(t.Context(), []string{"serve", "--database-url", "postgres://nowhere"}, &out, &err)
		if code != 1 || !strings.Contains(err.String(), "REDIS_URL is not set") {
			t.Errorf("exit code %d, err %q", code, err.String())
		}
	})
}
