package gateway

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// city is a fleet that no feed and no socket is behind: a test moves it, ticks it and takes its frames.
type city struct {
	*fleet
	rand *rand.Rand
	now  time.Time
}

// Thirty kilometres of San Francisco.
const (
	citySouth, cityWest = 37.60, -122.60
	cityWide            = 0.30
)

func newCity(tb testing.TB, couriers int) *city {
	tb.Helper()
	h := NewHub(newLine(), newShelf(), Config{}, NewMetrics(prometheus.NewRegistry()), time.Now, slog.New(slog.DiscardHandler))
	tb.Cleanup(h.Close)
	c := &city{newFleet(h, tracking.NewID(), nil), rand.New(rand.NewPCG(1, 2)), time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)}
	for i := range couriers {
		courier := tracking.Courier{ID: tracking.NewID(), Name: fmt.Sprintf("Courier %d", i), Vehicle: tracking.Bike, OnDuty: true, Rev: 1}
		c.staffed(courier)
		c.moved(courier.ID, c.fix(citySouth+c.rand.Float64()*cityWide, cityWest+c.rand.Float64()*cityWide))
	}
	c.loaded, c.live = true, true
	return c
}

func (c *city) fix(lat, lon float64) tracking.Position {
	c.now = c.now.Add(time.Microsecond)
	return tracking.Position{
		RecordedAt: c.now, Lat: lat, Lon: lon, SpeedMPS: tracking.Read(6.2), HeadingDeg: tracking.Read(44), AccuracyM: tracking.Read(8), Battery: tracking.Read(0.7),
	}
}

// look opens a map on a window.
func (c *city) look(west, south, east, north, zoom float64, filter string) *opsSocket {
	s := c.newMap()
	s.ask(fmt.Sprintf(`{"type":"view","bbox":[%v,%v,%v,%v],"zoom":%v,"filter":{%s}}`, west, south, east, north, zoom, filter))
	return s
}

func (c *city) newMap() *opsSocket {
	s := &opsSocket{fleet: c.fleet, conn: &conn{hub: c.hub}, live: true, said: c.now, purse: newPurse(c.now)}
	s.conn.outbox.pipe = &clogged{}
	s.seen.grow(len(c.slots))
	c.views[s] = struct{}{}
	return s
}

func (s *opsSocket) ask(message string) { _ = s.receive([]byte(message)) }

// taken are the frames that wait for a map, which has them then.
func (s *opsSocket) taken() (texts [][]byte) {
	for {
		out, ok := s.conn.outbox.take()
		if !ok {
			return texts
		}
		if out.message != nil {
			texts = append(texts, out.message.text())
		}
	}
}
