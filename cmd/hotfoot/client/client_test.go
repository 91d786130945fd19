package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// request is what a test server saw.
type request struct {
	method, uri, auth, body string
	header                  http.Header
}

// serve answers the n-th request (from 0) with reply(n) and returns a client and what was asked so far.
func serve(t *testing.T, reply func(n int, w http.ResponseWriter)) (*client.Client, func() []request) {
	t.Helper()
	var mu sync.Mutex
	var seen []request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		n := len(seen)
		seen = append(seen, request{r.Method, r.RequestURI, r.Header.Get("Authorization"), string(body), r.Header})
		mu.Unlock()
		reply(n, w)
	}))
	t.Cleanup(srv.Close)
	return client.New(srv.URL+"/", "merchant-key"), func() []request {
		mu.Lock()
		defer mu.Unlock()
		return append([]request(nil), seen...)
	}
}

func ok(body string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { io.WriteString(w, body) }
}

func problem(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func TestClient_CreateCourier(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"id":"c1","name":"Ana","vehicle":"bike","phone":null,"on_duty":false,"token":"secret","created_at":"2026-01-02T03:04:05.678Z"}`)
	})
	got, err := c.CreateCourier(t.Context(), client.NewCourier{Name: "Ana", Vehicle: "bike"})
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "c1" || got.Token != "secret" || got.CreatedAt.Nanosecond() != 678e6 {
		t.Errorf("courier = %+v", got)
	}
	r := seen()[0]
	if r.method != "POST" || r.uri != "/v1/couriers" || r.auth != "Bearer merchant-key" || r.body != `{"name":"Ana","vehicle":"bike"}` {
		t.Errorf("request = %+v", r)
	}
}

func TestClient_ListCouriers_follows_the_cursor(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, func(n int, w http.ResponseWriter) {
		pages := []string{`{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"x y"}`, `{"items":[{"id":"c"}],"next_cursor":null}`}
		io.WriteString(w, pages[n])
	})
	got, err := c.ListCouriers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[2].ID != "c" {
		t.Errorf("couriers = %+v", got)
	}
	if uri := seen()[1].uri; uri != "/v1/couriers?cursor=x+y" {
		t.Errorf("second page asked as %s", uri)
	}
}

func TestClient_CreateDelivery_sends_the_idempotency_key_as_a_header(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, ok(`{"id":"d1","status":"assigned","ver":2,"courier_id":"c1","stops_before":1,"tracking_token":"tok","tracking_url":"http://x/t/tok"}`))
	got, err := c.CreateDelivery(t.Context(), client.NewDelivery{
		Pickup: client.Place{Lat: 1, Lon: 2, Name: "Shop"}, Dropoff: client.Place{Lat: 3, Lon: 4}, CourierID: "c1", IdempotencyKey: "k1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Ver != 2 || *got.StopsBefore != 1 || got.TrackingURL != "http://x/t/tok" {
		t.Errorf("delivery = %+v", got)
	}
	r := seen()[0]
	if r.header.Get("Idempotency-Key") != "k1" || strings.Contains(r.body, "k1") {
		t.Errorf("key travelled wrongly: %+v", r)
	}
	if want := `{"pickup":{"lat":1,"lon":2,"name":"Shop"},"dropoff":{"lat":3,"lon":4},"courier_id":"c1"}`; r.body != want {
		t.Errorf("body = %s, want %s", r.body, want)
	}
}

func TestClient_paths_and_bodies(t *testing.T) {
	t.Parallel()
	second := 2
	for name, tc := range map[string]struct {
		call func(context.Context, *client.Client) error
		want string
	}{
		"assign": {
			func(ctx context.Context, c *client.Client) error {
				_, err := c.Assign(ctx, "d/1", "c1", &second)
				return err
			},
			`POST /v1/deliveries/d%2F1/assign {"courier_id":"c1","position":2}`,
		},
		"assign last": {
			func(ctx context.Context, c *client.Client) error {
				_, err := c.Assign(ctx, "d1", "c1", nil)
				return err
			},
			`POST /v1/deliveries/d1/assign {"courier_id":"c1"}`,
		},
		"route": {
			func(ctx context.Context, c *client.Client) error { return c.SetRoute(ctx, "c1", []string{"a", "b"}) },
			`PUT /v1/couriers/c1/route {"delivery_ids":["a","b"]}`,
		},
		"shift": {
			func(ctx context.Context, c *client.Client) error { return c.SetShift(ctx, true) },
			`PUT /v1/courier/shift {"on_duty":true}`,
		},
		"own deliveries": {
			func(ctx context.Context, c *client.Client) error { _, err := c.CourierDeliveries(ctx); return err },
			`GET /v1/courier/deliveries `,
		},
		"delivery": {
			func(ctx context.Context, c *client.Client) error { _, err := c.GetDelivery(ctx, "d1"); return err },
			`GET /v1/deliveries/d1 `,
		},
		"status": {func(ctx context.Context, c *client.Client) error {
			at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("", 3600))
			_, err := c.PostStatus(ctx, "d1", client.StatusChange{Status: client.StatusDelivered, ClientEventID: "e1", At: &at, Proof: &client.Proof{LeftAt: "front door"}})
			return err
		}, `POST /v1/courier/deliveries/d1/status {"status":"delivered","client_event_id":"e1","at":"2026-01-02T02:04:05.678Z","proof":{"left_at":"front door"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, seen := serve(t, ok(`{}`))
			if err := tc.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			r := seen()[0]
			if got := r.method + " " + r.uri + " " + r.body; got != tc.want {
				t.Errorf("sent %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestClient_PostPositions(t *testing.T) {
	t.Parallel()
	c, seen := serve(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"accepted_seq":2,"durable_seq":1,"resend_from":2,"next_report_s":2.5,
			"receipts":[{"index":0,"seq":1,"result":"live"},{"index":1,"seq":2,"result":"rejected","code":"too_far"}]}`)
	})
	speed := 0.0
	at := time.Date(2026, 1, 2, 3, 4, 5, 987_654_321, time.UTC)
	got, err := c.WithKey("courier-token").PostPositions(t.Context(), "s1", []client.Position{
		{Seq: 1, RecordedAt: at, Lat: 37.7, Lon: -122.4, SpeedMPS: &speed}, {Seq: 2, RecordedAt: at},
	}, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got.AcceptedSeq != 2 || got.DurableSeq != 1 || *got.ResendFrom != 2 || got.NextReportS != 2.5 || got.Receipts[1].Code != "too_far" {
		t.Errorf("reply = %+v", got)
	}
	r := seen()[0]
	if r.auth != "Bearer courier-token" || r.header.Get("Prefer") != "wait=3" {
		t.Errorf("headers = %v", r.header)
	}
	var body struct {
		Session   string
		Positions []map[string]any
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatal(err)
	}
	p := body.Positions[0]
	if body.Session != "s1" || p["recorded_at"] != "2026-01-02T03:04:05.987Z" || p["speed_mps"] != 0.0 {
		t.Errorf("body = %s", r.body)
	}
	if _, sent := p["heading_deg"]; sent {
		t.Error("an unknown heading was sent")
	}
}

func TestProblem(t *testing.T) {
	t.Parallel()
	t.Run("a problem document keeps its parts", func(t *testing.T) {
		t.Parallel()
		c, seen := serve(t, func(_ int, w http.ResponseWriter) {
			problem(w, 409, `{"title":"Conflict","status":409,"code":"illegal_move","detail":"allowed: arriving","errors":[{"location":"body.status","message":"not allowed"}]}`)
		})
		_, err := c.PostStatus(t.Context(), "d1", client.StatusChange{Status: "delivered", ClientEventID: "e"})
		var p *client.Problem
		if !errors.As(err, &p) {
			t.Fatalf("err = %v", err)
		}
		if p.Status != 409 || p.Code != "illegal_move" || p.Detail != "allowed: arriving" || p.Errors[0].Location != "body.status" {
			t.Errorf("problem = %+v", p)
		}
		if want := "post status delivered: 409 illegal_move: allowed: arriving; body.status not allowed"; err.Error() != want {
			t.Errorf("error reads %q, want %q", err, want)
		}
		if n := len(seen()); n != 1 {
			t.Errorf("a refusal was asked %d times", n)
		}
	})
	t.Run("a proxy's page becomes a problem too", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, func(_ int, w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, " <h1>no</h1> ")
		})
		_, err := c.GetDelivery(t.Context(), "d1")
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != 403 || p.Title != "Forbidden" || p.Detail != "<h1>no</h1>" {
			t.Errorf("err = %#v", err)
		}
	})
	t.Run("an answer that is not JSON is an error", func(t *testing.T) {
		t.Parallel()
		c, seen := serve(t, ok("hello"))
		if _, err := c.GetDelivery(t.Context(), "d1"); err == nil || len(seen()) != 1 {
			t.Errorf("err = %v after %d attempts", err, len(seen()))
		}
	})
}
