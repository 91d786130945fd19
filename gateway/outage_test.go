package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// startRedis starts a private server that a test may kill, and start again in the same folder.
func startRedis(t *testing.T, dir string) *private.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := private.StartRedis(ctx, private.Config{Dir: dir})
	must(t, err)
	t.Cleanup(server.Kill)
	return server
}

func liveness(want bool) func(frame) bool {
	return func(f frame) bool { return f.Type == "tick" && *f.Live == want }
}

// mustFollow judges all frames that a viewer got, from the first snapshot on.
func (s *socket) mustFollow() {
	s.t.Helper()
	w := watcher{}
	for i, text := range s.heard() {
		if err := w.take(decode(s.t, text), i == 0); err != nil {
			s.t.Errorf("frame %d: %v: %s", i, err, text)
		}
	}
}

// tread has Postgres alone take a fix, as a report does that comes while Redis is away.
func (s *shop) tread(phone tracking.Actor, lat float64) {
	s.t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	_, err := s.truth.Store(s.t.Context(), []tracking.Batch{{
		CourierID: phone.CourierID, ReceivedAt: now, Fixes: []tracking.Fix{{Position: tracking.Position{RecordedAt: now, Lat: lat, Lon: -122.41}}},
	}})
	s.must(err)
}

// While Redis is away viewers see what changes a little later, from Postgres, and are told so. Afterwards nothing is missing.
func TestCustomers_Live_without_Redis(t *testing.T) {
	t.Parallel()
	dir := storetest.Dir(t)
	server := startRedis(t, dir)
	s := newShopOver(t, server.URL())
	n := s.node(gateway.Config{}.Hasty(gateway.Hasty{Poll: 500 * time.Millisecond}))
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	s.move(phone, 37.7801, -122.41)
	v, stream := n.watch(t, r), n.stream(t, r, "")
	_, heard := stream.await("snapshot", 0)

	server.Kill()
	_, at := v.frame("to hear that it is not live", 0, liveness(false))
	began := time.Now()
	r = s.report(phone, r, tracking.Arriving)
	v.ver(r.Delivery.Ver)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a status took %v", took)
	}
	stream.await("status", heard)
	s.tread(phone, 37.7802)
	v.frame("where the courier went", at, func(f frame) bool { return strings.Contains(f.raw, `"lat":37.7802,`) })
	if tick, _ := v.frame("a tick", at, func(f frame) bool { return f.Type == "tick" }); *tick.Live {
		t.Errorf("it says %s", tick.raw)
	}
	late, other := dial(t, live(n, s.token(r), "1.4")), dial(t, live(n, s.token(s.deliver(phone)), ""))
	if snapshot, _ := late.ofType("snapshot", 0); *snapshot.Live || snapshot.Ver != 5 || len(snapshot.Events) != 1 || snapshot.Position == nil {
		t.Errorf("who comes meanwhile sees %s", snapshot.raw)
	}
	if snapshot, _ := other.ofType("snapshot", 0); *snapshot.Live || snapshot.Ver != 2 {
		t.Errorf("who watches something else sees %s", snapshot.raw)
	}

	startRedis(t, dir)
	for _, v := range []*socket{v, late, other} {
		v.frame("to hear that it is live", 0, liveness(true))
	}
	r = s.report(phone, r, tracking.EnRoute)
	v.ver(r.Delivery.Ver)
	late.ver(r.Delivery.Ver)
	v.mustFollow()
	t.Logf("hub: %d reads of revisions, %d records, %d of places", n.reads.revs.Load(), n.reads.record.Load(), n.reads.places.Load())
}

// A Redis that does not answer, and does not say so either, is found out; nobody hangs.
func TestCustomers_Live_with_Redis_frozen(t *testing.T) {
	t.Parallel()
	server := startRedis(t, storetest.Dir(t))
	s := newShopOver(t, server.URL())
	n := s.node(gateway.Config{})
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	v := n.watch(t, r)
	server.Pause()
	defer server.Resume()
	_, at := v.frame("to hear that it is not live", 0, liveness(false))
	r = s.report(phone, r, tracking.Arriving)
	v.ver(r.Delivery.Ver)
	server.Resume()
	v.frame("to hear that it is live", at, liveness(true))
	r = s.report(phone, r, tracking.EnRoute)
	v.ver(r.Delivery.Ver)
	v.mustFollow()
}

// Without Postgres viewers see what Redis knows, marked as such. Without either their sockets stay open, and whoever comes is refused at once.
func TestCustomers_Live_without_any_store(t *testing.T) {
	t.Parallel()
	dir := storetest.Dir(t)
	server := startRedis(t, dir)
	s := newShopOver(t, server.URL())
	var away atomic.Bool
	breaker := tracking.NewBreaker("Postgres", func(context.Context) error {
		if away.Load() {
			return errors.New("away")
		}
		return nil
	}, tracking.BreakerConfig{Every: 10 * time.Millisecond, Retry: 10 * time.Millisecond}, s.log)
	s.run(breaker.Run)
	broken := func(open bool) {
		away.Store(open)
		for deadline := time.Now().Add(patience); (breaker.Allow() != nil) != open; {
			if time.Now().After(deadline) {
				t.Fatal("the breaker does not notice")
			}
			breaker.Doubt()
		}
	}
	n := s.nodeOver(nodeParts{truth: postgres.New(s.pool, breaker), config: gateway.Config{StaleSince: breaker.Since}})
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	s.move(phone, 37.7801, -122.41)
	stale := func(v *socket) (since string) {
		var snapshot struct {
			StaleSince string `json:"stale_since"`
			Live       bool
		}
		text, _ := v.await("a snapshot", 0, func(text string) bool { return strings.Contains(text, `"snapshot"`) })
		must(t, json.Unmarshal([]byte(text), &snapshot))
		return snapshot.StaleSince
	}
	v := dial(t, live(n, s.token(r), ""))
	if since := stale(v); since != "" {
		t.Errorf("stale since %s while all is well", since)
	}
	broken(true)
	if since, err := time.Parse(time.RFC3339Nano, stale(dial(t, live(n, s.token(r), "")))); err != nil || time.Since(since) > time.Minute {
		t.Errorf("with Postgres away: stale since %v, %v", since, err)
	}
	s.move(phone, 37.7802, -122.41)
	_, at := v.frame("the courier's place, which needs no Postgres", 0, func(f frame) bool { return strings.Contains(f.raw, `"lat":37.7802,`) })

	server.Kill()
	_, at = v.frame("to hear that it is not live", at, liveness(false))
	began := time.Now()
	response := refused(t, live(n, s.token(r), ""), nil)
	if took := time.Since(began); response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || took > time.Second {
		t.Errorf("%s after %v, Retry-After %q", response.Status, took, response.Header.Get("Retry-After"))
	}
	startRedis(t, dir)
	_, at = v.frame("to hear that it is live", at, liveness(true))
	broken(false)
	r = s.report(phone, r, tracking.Arriving)
	v.frame("the status", at, func(f frame) bool { return f.Ver == r.Delivery.Ver })
	if since := stale(dial(t, live(n, s.token(r), ""))); since != "" {
		t.Errorf("stale since %s while all is well again", since)
	}
	v.mustFollow()
}

// A courier whose assignments cannot be announced hears of them all the same.
func TestCouriers_Live_without_Redis(t *testing.T) {
	t.Parallel()
	server := startRedis(t, storetest.Dir(t))
	s := newShopOver(t, server.URL())
	n := s.node(gateway.Config{}.Hasty(gateway.Hasty{Check: time.Second}))
	phone := s.hire("Sam")
	v := dial(t, url(n, "/courier/"+phone.CourierID.String()))
	v.await("the route", 0, func(text string) bool { return strings.Contains(text, `"route"`) })
	server.Kill()
	r := s.deliver(phone)
	v.await("the assignment", 0, func(text string) bool {
		return strings.Contains(text, `"assigned"`) && strings.Contains(text, r.Delivery.ID.String())
	})
}
