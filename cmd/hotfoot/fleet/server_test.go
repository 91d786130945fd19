package fleet

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// server is an in-memory stand-in for Hotfoot. It holds callers to the contract: a breach fails the test.
type server struct {
	t   *testing.T
	mux *http.ServeMux

	mu         sync.Mutex
	couriers   map[string]*fakeCourier // by token
	deliveries map[string]*client.Delivery
	order      []string // delivery ids
	requests   int
	down       bool                                // answer 503 to everything
	refuse     func(r *http.Request) (int, string) // a status and code to answer with, or 0
	nextReport float64
	keys       map[string]string // Idempotency-Key to delivery id
	events     map[string]string // client_event_id to status
}

type fakeCourier struct {
	client.Courier
	points            map[int64]client.Position
	durable           int64
	highest           int64
	session           string
	sessions, reports int
	route             []string
	largest           int // points in one request
	results           map[string]int
}

func newServer(t *testing.T) *server {
	s := &server{
		t: t, mux: http.NewServeMux(), couriers: map[string]*fakeCourier{}, deliveries: map[string]*client.Delivery{},
		keys: map[string]string{}, events: map[string]string{},
	}
	s.mux.HandleFunc("POST /v1/couriers", s.createCourier)
	s.mux.HandleFunc("PUT /v1/courier/shift", s.setShift)
	s.mux.HandleFunc("GET /v1/courier/deliveries", s.readRoute)
	s.mux.HandleFunc("POST /v1/deliveries", s.createDelivery)
	s.mux.HandleFunc("POST /v1/deliveries/{id}/assign", s.assign)
	s.mux.HandleFunc("POST /v1/courier/positions", s.positions)
	s.mux.HandleFunc("POST /v1/courier/deliveries/{id}/status", s.status)
	s.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unknown request %s %s", r.Method, r.URL) })
	return s
}

// RoundTrip answers without a network, so that a test can run on synthetic time.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	w := httptest.NewRecorder()
	if s.refuse != nil {
		if status, code := s.refuse(r); status != 0 {
			problem(w, status, code)
			return w.Result(), nil
		}
	}
	if s.down {
		problem(w, http.StatusServiceUnavailable, "down")
		return w.Result(), nil
	}
	s.mux.ServeHTTP(w, r)
	return w.Result(), nil
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d,"code":%q,"title":"refused"}`, status, code)
}

func reply(w http.ResponseWriter, v any) { json.NewEncoder(w).Encode(v) }

func (s *server) body(r *http.Request, v any) {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		s.t.Errorf("%s %s: body: %v", r.Method, r.URL, err)
	}
}

func (s *server) courier(r *http.Request) *fakeCourier {
	c := s.couriers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if c == nil {
		s.t.Errorf("%s %s: unknown courier", r.Method, r.URL)
		return &fakeCourier{points: map[int64]client.Position{}, results: map[string]int{}}
	}
	return c
}

func (s *server) createCourier(w http.ResponseWriter, r *http.Request) {
	c := &fakeCourier{points: map[int64]client.Position{}, results: map[string]int{}}
	s.body(r, &c.Courier)
	n := len(s.couriers) + 1
	c.ID, c.Token = fmt.Sprintf("c%d", n), fmt.Sprintf("token%d", n)
	if c.Name == "" || !slices.Contains([]string{"bike", "scooter", "car", "van", "foot"}, c.Vehicle) {
		s.t.Errorf("courier %+v", c.Courier)
	}
	s.couriers[c.Token] = c
	reply(w, c.Courier)
}

func (s *server) setShift(_ http.ResponseWriter, r *http.Request) {
	var in struct {
		OnDuty bool `json:"on_duty"`
	}
	s.body(r, &in)
	s.courier(r).OnDuty = in.OnDuty
}

func (s *server) readRoute(w http.ResponseWriter, r *http.Request) {
	items := []client.Delivery{}
	for _, id := range s.courier(r).route {
		if d := s.deliveries[id]; !slices.Contains([]string{"delivered", "cancelled", "returned"}, d.Status) {
			items = append(items, *d)
		}
	}
	reply(w, map[string]any{"items": items})
}

func (s *server) createDelivery(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if id, again := s.keys[key]; again {
		reply(w, s.deliveries[id])
		return
	}
	d := &client.Delivery{}
	s.body(r, d)
	n := len(s.deliveries) + 1
	d.ID, d.TrackingToken, d.Status, d.Ver = fmt.Sprintf("d%d", n), fmt.Sprintf("link%d", n), "created", 1
	d.TrackingURL = "http://server/t/" + d.TrackingToken
	s.deliveries[d.ID] = d
	s.order = append(s.order, d.ID)
	s.keys[key] = d.ID
	if d.CourierID != "" {
		s.give(d, d.CourierID)
	}
	reply(w, d)
}

func (s *server) give(d *client.Delivery, courierID string) {
	for _, c := range s.couriers {
		if c.ID == courierID {
			c.route = append(c.route, d.ID)
			d.CourierID, d.Status = c.ID, "assigned"
			return
		}
	}
	s.t.Errorf("delivery for unknown courier %s", courierID)
}

func (s *server) assign(w http.ResponseWriter, r *http.Request) {
	var in struct {
		CourierID string `json:"courier_id"`
	}
	s.body(r, &in)
	d := s.deliveries[r.PathValue("id")]
	s.give(d, in.CourierID)
	reply(w, d)
}

func (s *server) positions(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Session   string
		Positions []client.Position
	}
	s.body(r, &in)
	c := s.courier(r)
	if !c.OnDuty {
		problem(w, http.StatusForbidden, "off_shift")
		return
	}
	if c.session != in.Session {
		c.session, c.highest, c.durable, c.points = in.Session, 0, 0, map[int64]client.Position{}
		c.sessions++
	}
	if in.Session == "" || len(in.Positions) == 0 || len(in.Positions) > client.MaxPositions {
		s.t.Errorf("report of %d positions in session %q", len(in.Positions), in.Session)
	}
	c.largest = max(c.largest, len(in.Positions))
	c.reports++
	out := client.PositionReply{NextReportS: s.nextReport}
	for i, p := range in.Positions {
		receipt := client.Receipt{Index: i, Seq: p.Seq, Result: client.ResultLive}
		old, known := c.points[p.Seq]
		switch {
		case p.Seq < 1 || p.RecordedAt.After(time.Now()):
			s.t.Errorf("position %+v at %v", p, time.Now())
		case p.Lat > 90:
			receipt.Result, receipt.Code = client.ResultRejected, "out_of_range"
		case known && old.RecordedAt != p.RecordedAt:
			s.t.Errorf("seq %d means two points", p.Seq)
		case known:
			receipt.Result = client.ResultDuplicate
		case p.Seq < c.highest:
			receipt.Result = client.ResultLate
		}
		c.points[p.Seq] = p
		c.highest = max(c.highest, p.Seq)
		c.results[receipt.Result]++
		out.Receipts = append(out.Receipts, receipt)
	}
	for {
		if _, ok := c.points[c.durable+1]; !ok {
			break
		}
		c.durable++
	}
	out.AcceptedSeq, out.DurableSeq = c.durable, c.durable
	if c.durable < c.highest {
		from := c.durable + 1
		out.ResendFrom = &from
	}
	reply(w, out)
}

var moves = map[string][]string{
	"assigned": {"picked_up"}, "picked_up": {"en_route", "failed"}, "en_route": {"arriving", "failed"},
	"arriving": {"delivered", "failed", "en_route"}, "failed": {"en_route", "returned"},
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	var in client.StatusChange
	s.body(r, &in)
	c, d := s.courier(r), s.deliveries[r.PathValue("id")]
	if d == nil || d.CourierID != c.ID {
		problem(w, http.StatusNotFound, "not_found")
		return
	}
	if done, again := s.events[in.ClientEventID]; again {
		if done != in.Status {
			s.t.Errorf("client_event_id %s means %s and %s", in.ClientEventID, done, in.Status)
		}
	} else {
		if !slices.Contains(moves[d.Status], in.Status) {
			if d.Status != "cancelled" {
				s.t.Errorf("%s: %s to %s", d.ID, d.Status, in.Status)
			}
			problem(w, http.StatusConflict, "illegal_move")
			return
		}
		if in.At != nil && in.At.After(time.Now()) {
			s.t.Errorf("status of the future: %v", in.At)
		}
		d.Status = in.Status
		d.Ver++
		s.events[in.ClientEventID] = in.Status
	}
	reply(w, client.StatusReply{Status: d.Status, Ver: d.Ver})
}

// count returns how many deliveries have each status.
func (s *server) count() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for _, d := range s.deliveries {
		out[d.Status]++
	}
	return out
}
