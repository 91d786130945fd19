package fleet

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"hotfoot/cmd/hotfoot/client"
	"hotfoot/cmd/hotfoot/trackfile"
)

var noon = time.Date(2008, 6, 4, 12, 0, 0, 0, time.UTC)

// track makes a track of points at the given seconds after noon, each 50 m north of the one before.
func track(name string, seconds ...float64) trackfile.Track {
	out := trackfile.Track{Name: name}
	for i, s := range seconds {
		speed := 5.0
		out.Points = append(out.Points, trackfile.Point{
			Time: noon.Add(time.Duration(s * float64(time.Second))), Lat: 37.77 + float64(i)*50/metresPerDegree, Lon: -122.41, SpeedMPS: &speed,
		})
	}
	return out
}

// steady returns n times, gap seconds apart.
func steady(n int, gap float64) (seconds []float64) {
	for i := range n {
		seconds = append(seconds, float64(i)*gap)
	}
	return seconds
}

func replaying(t *testing.T, cfg ReplayConfig, prepare func(*server), check func(*testing.T, *Replay, *server, time.Duration)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		prepare(s)
		cfg.BaseURL, cfg.MerchantKey, cfg.Transport = "http://server", "merchant", s
		r, err := NewReplay(cfg)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, r, s, time.Since(start))
	})
}

func TestReplay_plays_a_track_in_its_own_time(t *testing.T) {
	replaying(t, ReplayConfig{Tracks: []trackfile.Track{track("ride", steady(60, 10)...)}}, func(*server) {}, func(t *testing.T, r *Replay, s *server, took time.Duration) {
		if took != 590*time.Second {
			t.Errorf("took %v", took)
		}
		c := s.couriers["token1"]
		if c.Name != "ride" || c.OnDuty || len(c.points) != 60 || c.largest != 1 {
			t.Errorf("courier %+v got %d points", c.Courier, len(c.points))
		}
		for seq := int64(2); seq <= 60; seq++ {
			if d := c.points[seq].RecordedAt.Sub(c.points[seq-1].RecordedAt); d != 10*time.Second {
				t.Fatalf("point %d is %v after the one before", seq, d)
			}
		}
		if *c.points[1].SpeedMPS != 5 {
			t.Error("the recorded speed is gone")
		}
		if d := s.deliveries["d1"]; d.Status != "delivered" || d.Dropoff.Lat != c.points[60].Lat {
			t.Errorf("delivery %+v", d)
		}
		if got := r.Report(); got.Live != 60 || got.Durable != 60 || got.Points != 60 || got.Late+got.Duplicate+len(got.Rejected) > 0 {
			t.Errorf("report %+v", got)
		}
	})
}

func TestReplay_at_speed(t *testing.T) {
	replaying(t, ReplayConfig{Speed: 20, Tracks: []trackfile.Track{track("ride", steady(60, 10)...)}}, func(*server) {}, func(t *testing.T, _ *Replay, s *server, took time.Duration) {
		if took != 590*time.Second/20 {
			t.Errorf("took %v", took)
		}
		p := s.couriers["token1"].points
		if d := p[60].RecordedAt.Sub(p[1].RecordedAt); d != 29500*time.Millisecond || p[1].SpeedMPS != nil {
			t.Errorf("points span %v", d)
		}
	})
}

func TestReplay_sends_points_in_the_files_order(t *testing.T) {
	replaying(t, ReplayConfig{Tracks: []trackfile.Track{track("phone", 0, 10, 5, 5, 20)}}, func(*server) {}, func(t *testing.T, _ *Replay, s *server, took time.Duration) {
		p := s.couriers["token1"].points
		if took != 20*time.Second || p[3].RecordedAt != p[4].RecordedAt || !p[3].RecordedAt.Before(p[2].RecordedAt) {
			t.Errorf("took %v, points %v", took, p)
		}
	})
}

func TestReplay_reports_until_the_server_has_everything(t *testing.T) {
	outage := func(s *server) {
		time.AfterFunc(60*time.Second, func() { s.mu.Lock(); s.down = true; s.mu.Unlock() })
		time.AfterFunc(200*time.Second, func() { s.mu.Lock(); s.down = false; s.mu.Unlock() })
		// The server forgets a point that it had taken, as after a crash.
		time.AfterFunc(400*time.Second, func() {
			s.mu.Lock()
			c := s.couriers["token1"]
			c.durable = 20
			for seq := int64(21); seq <= c.highest; seq++ {
				delete(c.points, seq)
			}
			s.mu.Unlock()
		})
	}
	replaying(t, ReplayConfig{Tracks: []trackfile.Track{track("ride", steady(60, 10)...)}}, outage, func(t *testing.T, r *Replay, s *server, _ time.Duration) {
		if c := s.couriers["token1"]; len(c.points) != 60 || c.durable != 60 || c.largest < 2 {
			t.Errorf("%d points, durable to %d, at most %d at once", len(c.points), c.durable, c.largest)
		}
		if got := r.Report(); got.Durable != 60 || s.deliveries["d1"].Status != "delivered" {
			t.Errorf("report %+v", got)
		}
	})
}

func TestReplay_counts_rejected_points(t *testing.T) {
	wrong := track("ride", steady(5, 10)...)
	wrong.Points[2].Lat = 95
	replaying(t, ReplayConfig{Tracks: []trackfile.Track{wrong}}, func(*server) {}, func(t *testing.T, r *Replay, _ *server, _ time.Duration) {
		if got := r.Report(); got.Rejected["out_of_range"] != 1 || got.Live != 4 {
			t.Errorf("report %+v", got)
		}
	})
}

func TestReplay_one_refused_track_does_not_stop_the_others(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.refuse = func(r *http.Request) (int, string) {
			if r.URL.Path == "/v1/courier/positions" && r.Header.Get("Authorization") == "Bearer "+s.tokenOf("bad") {
				return http.StatusForbidden, "off_shift"
			}
			return 0, ""
		}
		r, err := NewReplay(ReplayConfig{
			BaseURL: "http://server", MerchantKey: "k", Transport: s,
			Tracks: []trackfile.Track{track("good", steady(5, 10)...), track("bad", steady(5, 10)...)},
		})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Run(t.Context())
		var p *client.Problem
		if !errors.As(err, &p) || p.Code != "off_shift" {
			t.Errorf("err = %v", err)
		}
		if got := r.Report(); got.Durable != 5 {
			t.Errorf("report %+v", got)
		}
	})
}

// tokenOf finds a courier's token by its name; the caller holds the lock.
func (s *server) tokenOf(name string) string {
	for token, c := range s.couriers {
		if c.Name == name {
			return token
		}
	}
	return ""
}

func TestReplay_ends_with_its_context(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, err := NewReplay(ReplayConfig{
			BaseURL: "http://server", MerchantKey: "k", Transport: newServer(t),
			Tracks: []trackfile.Track{track("a", steady(50, 10)...), track("b", steady(50, 10)...)},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 33*time.Second)
		defer cancel()
		if err := r.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestNewReplay_untimed_tracks(t *testing.T) {
	t.Parallel()
	untimed := trackfile.Track{Name: "plan", Points: make([]trackfile.Point, 4)}
	cfg := ReplayConfig{BaseURL: "http://server", MerchantKey: "k", Tracks: []trackfile.Track{untimed}}
	if _, err := NewReplay(cfg); !errors.Is(err, trackfile.ErrNoTimes) {
		t.Errorf("err = %v", err)
	}
	cfg.Tracks = append(cfg.Tracks, track("ride", 0, 1))
	r, err := NewReplay(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Report(); got.Tracks != 1 || got.Points != 2 || got.Untimed != 4 {
		t.Errorf("report %+v", got)
	}
}

func TestAlignOrigins(t *testing.T) {
	t.Parallel()
	const day = 24 * 3600
	for name, tc := range map[string]struct {
		tracks []trackfile.Track
		want   []float64 // seconds after noon
	}{
		"at the same time: in step":              {[]trackfile.Track{track("a", 0, 100), track("b", 50, 150)}, []float64{0, 0}},
		"chained by a third: in step":            {[]trackfile.Track{track("a", 0, 100), track("b", 50, 250), track("c", 200, 300)}, []float64{0, 0, 0}},
		"on different days: together":            {[]trackfile.Track{track("a", 3*day, 3*day+10), track("b", 0, 100)}, []float64{3 * day, 0}},
		"a fix from weeks ago is not waited for": {[]trackfile.Track{track("a", -20*day, 0, 10, 20)}, []float64{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var players []*player
			for _, track := range tc.tracks {
				players = append(players, &player{points: track.Points})
			}
			alignOrigins(players)
			for i, p := range players {
				if got := p.origin.Sub(noon).Seconds(); got != tc.want[i] {
					t.Errorf("track %d begins at %v, want %v", i, got, tc.want[i])
				}
			}
		})
	}
}

// TestReplay_recorded_phone plays a real phone's file, with the bad habits of its day.
func TestReplay_recorded_phone(t *testing.T) {
	tracks, err := trackfile.ReadFile(filepath.Join("..", "trackfile", "testdata", "phone.csv"))
	if err != nil {
		t.Fatal(err)
	}
	replaying(t, ReplayConfig{Tracks: tracks, Speed: 5}, func(*server) {}, func(t *testing.T, r *Replay, s *server, _ time.Duration) {
		if got := r.Report(); got.Points != len(tracks[0].Points) || got.Durable != got.Points {
			t.Errorf("report %+v", got)
		}
		if s.deliveries["d1"].Status != "delivered" {
			t.Errorf("deliveries: %v", s.count())
		}
	})
}
