package fleet

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// scenario sets a fleet up against a fake server, on synthetic time, and hands both to check.
func scenario(t *testing.T, cfg Config, check func(*testing.T, *Fleet, *server)) {
	t.Helper()
	t.Parallel()
	city(t)
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		cfg.BaseURL, cfg.MerchantKey, cfg.Transport = "http://server", "merchant", s
		f, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Setup(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t, f, s)
	})
}

// runFor lets the fleet run for a while of synthetic time.
func runFor(t *testing.T, f *Fleet, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := f.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestFleet_Setup_shows_every_state(t *testing.T) {
	var readyCouriers, readyDeliveries int
	cfg := Config{Couriers: 8, Seed: 1, OnReady: func(c []CourierRef, d []DeliveryRef) { readyCouriers, readyDeliveries = len(c), len(d) }}
	scenario(t, cfg, func(t *testing.T, f *Fleet, s *server) {
		if got := s.count(); got["en_route"] < 4 || got["arriving"] != 1 || got["picked_up"] < 3 || got["assigned"] < 1 || got["created"] != 1 {
			t.Errorf("statuses: %v", got)
		}
		if len(f.Couriers()) != 8 || readyCouriers != 8 || readyDeliveries != len(f.Deliveries()) {
			t.Errorf("OnReady was told of %d couriers and %d deliveries", readyCouriers, readyDeliveries)
		}
		for _, c := range f.Couriers() {
			if c.ID == "" || c.Token == "" || c.Name == "" || !s.couriers[c.Token].OnDuty || len(s.couriers[c.Token].points) != 1 {
				t.Errorf("courier %+v", c)
			}
		}
		for i, d := range f.Deliveries() {
			made := s.deliveries[d.ID]
			if d.TrackingURL == "" || made.Recipient == nil || !made.Window.To.After(time.Now()) || made.Pickup.Name == "" || made.Dropoff.Address == "" {
				t.Errorf("delivery %+v", made)
			}
			if i == 0 && made.Status != "en_route" {
				t.Errorf("the first delivery is %s", made.Status)
			}
		}
	})
}

func TestFleet_Run_keeps_the_city_alive(t *testing.T) {
	scenario(t, Config{Couriers: 20, Seed: 2}, func(t *testing.T, f *Fleet, s *server) {
		before := len(s.deliveries)
		runFor(t, f, time.Hour)
		got, stats := s.count(), f.Stats()
		t.Logf("%v after %d at first; %+v", got, before, stats)
		if got["delivered"] < 40 || got["created"] == 0 || got["en_route"] == 0 || len(s.deliveries) < before+50 {
			t.Errorf("statuses: %v", got)
		}
		if stats.Errors > 0 || stats.Rejected > 0 || stats.Late > 0 || stats.Statuses == 0 || stats.Batches == 0 || stats.Positions < stats.Batches {
			t.Errorf("stats: %+v", stats)
		}
		largest := 0
		for _, c := range s.couriers {
			if missing := c.highest - int64(len(c.points)); missing > 0 {
				t.Errorf("%s: %d points never came", c.Name, missing)
			}
			largest = max(largest, c.largest)
		}
		if largest < 6 {
			t.Errorf("no backlog after a tunnel: at most %d points in one report", largest)
		}
	})
}

func TestFleet_Run_survives_an_outage(t *testing.T) {
	var log bytes.Buffer
	cfg := Config{Couriers: 10, Seed: 3, Interval: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))}
	scenario(t, cfg, func(t *testing.T, f *Fleet, s *server) {
		set := func(down bool) { s.mu.Lock(); s.down = down; s.mu.Unlock() }
		time.AfterFunc(5*time.Minute, func() { set(true) })
		time.AfterFunc(9*time.Minute, func() { set(false) })
		runFor(t, f, 15*time.Minute)
		if f.Stats().Errors == 0 {
			t.Error("the outage was not noticed")
		}
		for _, c := range s.couriers {
			if c.highest != int64(len(c.points)) || c.highest < 300 {
				t.Errorf("%s: %d points, numbered to %d", c.Name, len(c.points), c.highest)
			}
		}
		lines := strings.Count(log.String(), "\n")
		if lines == 0 || lines > 4*60/10*4 {
			t.Errorf("%d lines of log for %d errors", lines, f.Stats().Errors)
		}
	})
}

func TestFleet_Run_takes_a_break_when_put_off_duty(t *testing.T) {
	scenario(t, Config{Couriers: 1, Seed: 4}, func(t *testing.T, f *Fleet, s *server) {
		c := s.couriers[f.Couriers()[0].Token]
		var reports int
		time.AfterFunc(30*time.Second, func() { s.mu.Lock(); c.OnDuty = false; s.mu.Unlock() })
		time.AfterFunc(80*time.Second, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			reports = c.reports
			if c.OnDuty {
				t.Error("back on duty at once")
			}
		})
		runFor(t, f, 10*time.Minute)
		if !c.OnDuty || c.reports <= reports || c.sessions != 2 || f.Stats().Errors > 0 {
			t.Errorf("on duty %v, %d reports after %d in %d sessions, %+v", c.OnDuty, c.reports, reports, c.sessions, f.Stats())
		}
		if c.largest > 60 {
			t.Errorf("%d points at once: everything was sent again", c.largest)
		}
		if got := s.count(); got["delivered"] == 0 {
			t.Errorf("nothing delivered after the break: %v", got)
		}
	})
}

func TestFleet_Run_accepts_what_others_assign(t *testing.T) {
	scenario(t, Config{Couriers: 8, Seed: 5}, func(t *testing.T, f *Fleet, s *server) {
		idle := f.riders[7]
		d, err := f.merchant.CreateDelivery(t.Context(), client.NewDelivery{
			Pickup: client.Place{Lat: 37.7852, Lon: -122.4071}, Dropoff: client.Place{Lat: 37.7790, Lon: -122.4145}, CourierID: idle.ref.ID,
		})
		if err != nil {
			t.Fatal(err)
		}
		runFor(t, f, 40*time.Minute)
		if got := s.deliveries[d.ID].Status; got != "delivered" {
			t.Errorf("the visitor's delivery is %s", got)
		}
	})
}

func TestFleet_Run_lets_go_of_cancelled_deliveries(t *testing.T) {
	scenario(t, Config{Couriers: 4, Seed: 6}, func(t *testing.T, f *Fleet, s *server) {
		assigned := s.order[len(s.order)-2] // the last before the one on the board
		for _, id := range s.order {
			if s.deliveries[id].Status == "assigned" {
				assigned = id
			}
		}
		s.deliveries[assigned].Status = "cancelled"
		runFor(t, f, 30*time.Minute)
		if got := s.count(); got["cancelled"] != 1 || got["delivered"] < 6 {
			t.Errorf("statuses: %v", got)
		}
	})
}

func TestFleet_Run_follows_the_interval_of_the_server(t *testing.T) {
	scenario(t, Config{Couriers: 1, Seed: 7}, func(t *testing.T, f *Fleet, s *server) {
		s.nextReport = 8
		runFor(t, f, 8*time.Minute)
		if n := s.couriers[f.Couriers()[0].Token].highest; n > 80 {
			t.Errorf("%d points in 8 minutes at 8 s", n)
		}
	})
}

func TestFleet_Run_sped_up(t *testing.T) {
	scenario(t, Config{Couriers: 10, Seed: 8, Speed: 10, Interval: time.Second}, func(t *testing.T, f *Fleet, s *server) {
		runFor(t, f, 6*time.Minute)
		if got := s.count(); got["delivered"] < 15 {
			t.Errorf("an hour's work in six minutes: %v", got)
		}
		for _, c := range s.couriers {
			for _, p := range c.points {
				if p.SpeedMPS != nil {
					t.Fatal("a speed was reported that the points contradict")
				}
			}
		}
	})
}

func TestFleet_Run_counts_refused_reports(t *testing.T) {
	scenario(t, Config{Couriers: 2, Seed: 9}, func(t *testing.T, f *Fleet, s *server) {
		s.refuse = func(r *http.Request) (int, string) {
			if r.URL.Path == "/v1/courier/positions" {
				return http.StatusBadRequest, "bad_request"
			}
			return 0, ""
		}
		runFor(t, f, time.Minute)
		if got := f.Stats(); got.Errors == 0 || got.Positions != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestFleet_EndShifts(t *testing.T) {
	scenario(t, Config{Couriers: 5, Seed: 10}, func(t *testing.T, f *Fleet, s *server) {
		if err := f.EndShifts(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, c := range s.couriers {
			if c.OnDuty {
				t.Errorf("%s is still on duty", c.Name)
			}
		}
	})
}

func TestFleet_Setup_reports_a_refusal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.refuse = func(*http.Request) (int, string) { return http.StatusUnauthorized, "unknown_key" }
	f, err := New(Config{BaseURL: "http://server", MerchantKey: "wrong", Couriers: 50, Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	err = f.Setup(t.Context())
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "unknown_key" || !strings.Contains(err.Error(), "set up courier") {
		t.Errorf("err = %v", err)
	}
	if s.requests > 20 {
		t.Errorf("went on for %d requests after the refusal", s.requests)
	}
}

func TestNew_names_the_wrong_field(t *testing.T) {
	t.Parallel()
	good := Config{BaseURL: "http://server", MerchantKey: "k", Couriers: 1}
	for field, spoil := range map[string]func(*Config){
		"BaseURL":     func(c *Config) { c.BaseURL = "" },
		"MerchantKey": func(c *Config) { c.MerchantKey = "" },
		"Couriers":    func(c *Config) { c.Couriers = 0 },
		"Speed":       func(c *Config) { c.Speed = -1 },
		"Interval":    func(c *Config) { c.Interval = -1 },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: err = %v", field, err)
		}
	}
}
