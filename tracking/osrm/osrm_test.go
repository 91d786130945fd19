package osrm_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/osrm"
)

// What a real server answers, shortened by its geometry's hint.
const good = `{"code":"Ok","routes":[{"legs":[{"steps":[],"summary":"","weight":260.1,"duration":251.5,"distance":1886.3}],"weight_name":"routability","weight":260.1,
"duration":251.5,"distance":1886.3}],"waypoints":[{"distance":4.2,"name":"King Street","location":[-122.4112,37.7812]},{"distance":3.1,"name":"","location":[-122.401,37.7893]}]}`

var leg = tracking.Leg{Vehicle: tracking.Bike, From: tracking.Spot{Lat: 37.7812, Lon: -122.4112}, To: tracking.Spot{Lat: 37.7893, Lon: -122.4010}}

// server is a routing server of this test's own.
type server struct {
	*osrm.Router
	url   string
	asked atomic.Int64
}

func serve(t *testing.T, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		handle(w, r)
	}))
	t.Cleanup(listening.Close)
	s.url = listening.URL
	s.Router = router(t, listening.URL)
	return s
}

func router(t *testing.T, url string) *osrm.Router {
	t.Helper()
	r, err := osrm.New(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestRouter_Road(t *testing.T) {
	t.Parallel()
	t.Run("asks as OSRM is asked, by the vehicle's profile", func(t *testing.T) {
		t.Parallel()
		for vehicle, profile := range map[tracking.Vehicle]string{
			tracking.Foot: "foot", tracking.Bike: "bike", tracking.Scooter: "car", tracking.Car: "car", tracking.Van: "car",
		} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if want := "/maps/route/v1/" + profile + "/-122.4112,37.7812;-122.4010,37.7893?overview=false"; r.URL.String() != want || r.Method != http.MethodGet {
					t.Errorf("it is asked %s %s, want %s", r.Method, r.URL, want)
				}
				_, _ = w.Write([]byte(good))
			})
			asked := leg
			asked.Vehicle = vehicle
			got, err := router(t, s.url+"/maps/#2026-03").Road(t.Context(), asked)
			if want := (tracking.Road{DistanceM: 1886.3, Duration: 251500 * time.Millisecond}); err != nil || got != want {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		}
	})
	t.Run("has no road where the server knows none, and goes on asking", func(t *testing.T) {
		t.Parallel()
		for name, handle := range map[string]http.HandlerFunc{
			"no route":   says(400, `{"code":"NoRoute","message":"Impossible route between points"}`),
			"no segment": says(400, `{"code":"NoSegment","message":"Could not find a matching segment for coordinate 0"}`),
			"far off":    says(200, strings.Replace(good, `"distance":4.2`, `"distance":54000.2`, 1)),
		} {
			s := serve(t, handle)
			for range 3 {
				_, err := s.Road(t.Context(), leg)
				wantCode(t, name, err, tracking.CodeNotFound)
			}
			if s.asked.Load() != 3 {
				t.Errorf("%s: it was asked %d times", name, s.asked.Load())
			}
		}
	})
	t.Run("believes nothing that is no distance and no time, and then leaves the server alone for a while", func(t *testing.T) {
		t.Parallel()
		for name, handle := range map[string]http.HandlerFunc{
			"error": says(500, good), "busy": says(429, good), "moved": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
			"garbage": says(200, "\x00\xff<html>"), "nothing": says(200, ""), "null": says(200, "null"), "another code": says(400, `{"code":"InvalidUrl"}`),
			"no routes": says(200, `{"code":"Ok","routes":[]}`), "no distance": says(200, `{"code":"Ok","routes":[{"duration":1}]}`),
			"negative": says(200, `{"code":"Ok","routes":[{"duration":-1,"distance":5}]}`), "too far": says(200, `{"code":"Ok","routes":[{"duration":1,"distance":1e300}]}`),
			"text":      says(200, `{"code":"Ok","routes":[{"duration":"1","distance":5}]}`),
			"oversized": says(200, `{"code":"Ok","waste":"`+strings.Repeat("x", 100<<10)+`",`+good[1:]),
			"cut off":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			s := serve(t, handle)
			for range 20 {
				_, err := s.Road(t.Context(), leg)
				wantCode(t, name, err, tracking.CodeUnavailable)
			}
			if n := s.asked.Load(); n > 2 {
				t.Errorf("%s: it was asked %d times, want once", name, n)
			}
		}
	})
	t.Run("asks again later, and is itself again with the first answer", func(t *testing.T) {
		t.Parallel()
		var fails atomic.Bool
		fails.Store(true)
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if fails.Load() {
				w.WriteHeader(503)
				return
			}
			_, _ = w.Write([]byte(good))
		})
		_, err := s.Road(t.Context(), leg)
		wantCode(t, "failing", err, tracking.CodeUnavailable)
		fails.Store(false)
		await(t, "it answers", func() bool { _, err := s.Road(t.Context(), leg); return err == nil })
		if n := s.asked.Load(); n != 2 {
			t.Errorf("it was asked %d times, want once before and once after", n)
		}
	})
	t.Run("waits a second for a server that hangs, and refuses a ninth who would wait with the others", func(t *testing.T) {
		t.Parallel()
		hold := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			_, _ = w.Write([]byte(good[:40]))
			w.(http.Flusher).Flush()
			<-hold
		})
		t.Cleanup(func() { close(hold) })
		began := time.Now()
		var waiting sync.WaitGroup
		for range 8 {
			waiting.Go(func() {
				_, err := s.Road(t.Context(), leg)
				wantCode(t, "hanging", err, tracking.CodeUnavailable)
			})
		}
		await(t, "eight are asked", func() bool { return s.asked.Load() == 8 })
		_, err := s.Road(t.Context(), leg)
		wantCode(t, "the ninth", err, tracking.CodeOverloaded)
		waiting.Wait()
		if took := time.Since(began); took < 900*time.Millisecond || took > 5*time.Second {
			t.Errorf("they waited %v, want a second", took)
		}
	})
	t.Run("takes nothing amiss when the caller goes away", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if ctx.Err() == nil {
				cancel()
				<-r.Context().Done()
				return
			}
			_, _ = w.Write([]byte(good))
		})
		_, err := s.Road(ctx, leg)
		wantCode(t, "cancelled", err, tracking.CodeUnavailable)
		if _, err := s.Road(t.Context(), leg); err != nil {
			t.Errorf("then it is not asked: %v", err)
		}
	})
	t.Run("nobody is there", func(t *testing.T) {
		t.Parallel()
		_, err := router(t, "http://127.0.0.1:1").Road(t.Context(), leg)
		wantCode(t, "nobody", err, tracking.CodeUnavailable)
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "osrm:5000", "ftp://osrm", "http://", "http://osrm?x=1", "http://user:secret@osrm", "http://%zz"} {
		if _, err := osrm.New(address); err == nil || !strings.Contains(err.Error(), "not an address") {
			t.Errorf("%q: %v", address, err)
		}
	}
	if one, two := router(t, "http://osrm#1").Name(), router(t, "http://osrm#2").Name(); one == two {
		t.Errorf("two maps of one server are both %s", one)
	}
}

func wantCode(t *testing.T, what string, err error, want tracking.Code) {
	t.Helper()
	if got := tracking.CodeOf(err); got != want {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within half a minute", what)
		}
	}
}

func FuzzRouter_Road(f *testing.F) {
	f.Add(good)
	f.Add(`{"code":"NoRoute"}`)
	f.Add(`{"code":"Ok","routes":[{"duration":1e308,"distance":-0}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := serve(t, says(200, body))
		got, err := s.Road(t.Context(), leg)
		if code := tracking.CodeOf(err); code != "" && code != tracking.CodeNotFound && code != tracking.CodeUnavailable {
			t.Fatalf("%v", err)
		}
		if err == nil && (!(got.DistanceM >= 0 && got.DistanceM <= 4e7) || got.Duration < 0) {
			t.Fatal(fmt.Sprint(got))
		}
	})
}
