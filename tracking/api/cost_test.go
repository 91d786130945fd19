package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// everything says yes: it is all stores at once.
type everything struct{ actor tracking.Actor }

func (e everything) Actor(context.Context, [32]byte) (tracking.Actor, error) { return e.actor, nil }

func (everything) Place(context.Context, tracking.Placement) (tracking.Placed, error) {
	return tracking.Placed{Moved: 1}, nil
}
func (everything) MarkDurable(context.Context, []tracking.Mark) error { return nil }

// nowhere is a ResponseWriter that keeps the status alone.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }

// newReporter serves the one route over stores that cost nothing. The function it answers sends a report through it.
func newReporter(t testing.TB, points int) (report func()) {
	t.Helper()
	key, secret := tracking.NewKey(tracking.NewID(), tracking.RoleCourier, tracking.NewID(), "test")
	all := everything{tracking.Actor{Role: key.Role, MerchantID: key.MerchantID, CourierID: key.CourierID}}
	log, registry := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	auth := NewAuth(all)
	t.Cleanup(auth.Close)
	now := time.Date(2026, 3, 4, 18, 10, 1, 0, time.UTC)
	rules, err := ParseLimits("positions=token_bucket:10000/1s:burst=1000000:local")
	if err != nil {
		t.Fatal(err)
	}
	server := New(Deps{
		Ingest: tracking.NewIngest(all, nil, nil, tracking.Plausibility{}, func() time.Time { return now }), Auth: auth, Log: log, Metrics: registry,
		Limits: NewLimits(rules, nil, tracking.NewLimitFront(nil, time.Now), registry, time.Now),
	}, Config{Version: "test"})
	engine := NewEngine(registry, log)
	server.huma = humagin.New(engine, humaConfig(server.config))
	server.mountPositions(engine)

	text := []byte(`{"recorded_at":"2026-03-04T18:10:00.123Z","lat":37.781234,"lon":-122.411223,"accuracy_m":5.5,"speed_mps":4.25,"heading_deg":87}`)
	if points > 1 {
		list := slices.Repeat([][]byte{text}, points)
		text = slices.Concat([]byte(`{"positions":[`), bytes.Join(list, []byte(",")), []byte("]}"))
	}
	body := bytes.NewReader(text)
	request, err := http.NewRequest(http.MethodPost, "/v1/courier/positions", io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(text))
	request.Header.Set("Authorization", "Bearer "+secret)
	w := &nowhere{header: http.Header{}}
	return func() {
		body.Reset(text)
		engine.ServeHTTP(w, request)
		if w.status != http.StatusAccepted {
			t.Fatalf("status %d", w.status)
		}
	}
}

// What our part of a report may allocate, from the route to the port and back. When this fails, something on every report's way has become dearer: make it
// cheaper again, or, if it is worth that, raise the bound in the same change and say why.
func TestBudget_report(t *testing.T) {
	if raced {
		t.Skip("the race detector's pools forget things at random; make budgets runs it without")
	}
	const most = 10
	for _, points := range []int{1, 10, tracking.MaxPoints} {
		report := newReporter(t, points)
		if n := testing.AllocsPerRun(200, report); n > most {
			t.Errorf("a report of %d points allocates %v times, want at most %d", points, n, most)
		}
	}
}

// BenchmarkServer_reportPositions is what a report costs between the HTTP server and the ports.
func BenchmarkServer_reportPositions(b *testing.B) {
	for _, points := range []int{1, 10, tracking.MaxPoints} {
		b.Run(fmt.Sprintf("points=%d", points), func(b *testing.B) {
			report := newReporter(b, points)
			b.ReportAllocs()
			for b.Loop() {
				report()
			}
		})
	}
}
