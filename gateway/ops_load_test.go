package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/tracking"
)

// idle is a Staff of nobody, whom the feed brings.
type idle struct{}

func (idle) Couriers(context.Context, tracking.ID, *bool, tracking.ID, int) ([]tracking.Courier, error) {
	return nil, nil
}
func (idle) Active(context.Context, tracking.ID, int) ([]tracking.Record, error) { return nil, nil }

func (idle) Records(context.Context, []tracking.ID) ([]tracking.Record, error) { return nil, nil }

func (idle) NewestOf(_ context.Context, couriers []tracking.ID) ([]*tracking.Position, error) {
	return make([]*tracking.Position, len(couriers)), nil
}

// radio is a Feed of one fleet: what a test says on it is heard. It is confirmed at once.
type radio struct {
	*line
	tuned   chan struct{} // closed when somebody listens
	moved   func(tracking.ID, tracking.Position)
	staffed func(tracking.Courier)
}

type confirmed struct{ ready chan struct{} }

func (c confirmed) Ready() <-chan struct{} { return c.ready }
func (confirmed) Live() bool               { return true }
func (confirmed) Close()                   {}

func (r *radio) Fleet(_ tracking.ID, moved func(tracking.ID, tracking.Position), _ func(tracking.Record), staffed func(tracking.Courier), _ func(bool)) []Watch {
	r.moved, r.staffed = moved, staffed
	close(r.tuned)
	ready := make(chan struct{})
	close(ready)
	return []Watch{confirmed{ready}}
}

// page is a dispatcher's page behind a real socket.
type page struct {
	conn   *websocket.Conn
	window bbox
	mu     sync.Mutex
	screen *screen
	err    error
}

func (p *page) read() {
	for {
		_, text, err := p.conn.ReadMessage()
		if err != nil {
			return
		}
		p.mu.Lock()
		if err := p.screen.apply(text); err != nil && p.err == nil {
			p.err = err
		}
		p.mu.Unlock()
	}
}

func (p *page) ask(w bbox) error {
	p.window = w
	return p.conn.WriteMessage(websocket.TextMessage, []byte(w.message()))
}

// differs asks the truth about what the page shows; "" when that is it.
func (p *page) differs(there truth) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err.Error()
	}
	return there.differs(p.screen, p.window)
}

// Fifty dispatchers' sockets and a city on the move, with windows that move, too: when it stands still, every page shows what is in its window. It is not parallel: it
// keeps the machine busy, and others wait for what must come soon.
func TestOps_fifty_dispatchers_and_a_city(t *testing.T) {
	const couriers, dispatchers, rounds, moving = 4000, 50, 10, 1000
	r := &radio{line: newLine(), tuned: make(chan struct{})}
	h := newHub(t, r, newShelf())
	merchant := tracking.NewID()
	ops := NewOps(h, idle{}, nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { ops.Live(w, q, tracking.Actor{MerchantID: merchant}) }))
	t.Cleanup(server.Close)
	random := rand.New(rand.NewPCG(3, 4))
	somewhere := func() (lat, lon float64) {
		return citySouth + random.Float64()*cityWide, cityWest + random.Float64()*cityWide
	}
	anywhere := func() bbox {
		lat, lon := somewhere()
		size := []float64{0.005, 0.03, 0.1, 0.4}[random.IntN(4)]
		w := bbox{lon - size, lat - size, lon + size, lat + size, 9 + random.Float64()*8, nil, ""}
		if random.IntN(5) == 0 {
			w.Query = fmt.Sprint("courier ", random.IntN(10))
		}
		return w
	}
	var reading sync.WaitGroup
	pages := make([]*page, dispatchers)
	for i := range pages {
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		pages[i] = &page{conn: conn, screen: newScreen()}
		reading.Go(pages[i].read)
		if err := pages[i].ask(anywhere()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, p := range pages {
			_ = p.conn.Close()
		}
		reading.Wait()
	})
	<-r.tuned
	f := h.joinFleet(merchant, idle{}) // which is there already
	defer h.leaveFleet(f)
	awaitThat(t, "all maps to be there", func() bool { return f.makePoor() == dispatchers })

	there := truth{map[tracking.ID]tracking.Courier{}, map[tracking.ID]tracking.Position{}, map[tracking.ID]int{}}
	var ids []tracking.ID
	at := time.Now().Truncate(time.Millisecond)
	move := func(id tracking.ID, lat, lon float64) {
		at = at.Add(time.Millisecond)
		there.newest[id] = tracking.Position{RecordedAt: at, Lat: lat, Lon: lon}
		r.moved(id, there.newest[id])
	}
	for i := range couriers {
		c := tracking.Courier{ID: tracking.NewID(), Name: fmt.Sprint("Courier ", i), Vehicle: tracking.Bike, OnDuty: true, Rev: 1}
		there.couriers[c.ID] = c
		ids = append(ids, c.ID)
		r.staffed(c)
		lat, lon := somewhere()
		move(c.ID, lat, lon)
	}
	for range rounds {
		for range moving {
			id := ids[random.IntN(len(ids))]
			if _, on := there.couriers[id]; !on {
				continue
			}
			p := there.newest[id]
			move(id, p.Lat+(random.Float64()-0.5)*0.01, p.Lon+(random.Float64()-0.5)*0.01)
		}
		for range 20 {
			id := ids[random.IntN(len(ids))]
			c, on := there.couriers[id]
			if on {
				c.OnDuty, c.Rev = false, c.Rev+1
				delete(there.couriers, id)
				r.staffed(c)
			}
		}
		for range 10 {
			if p := pages[random.IntN(dispatchers)]; p.ask(anywhere()) != nil {
				t.Fatal("a page was cut off")
			}
		}
		awaitThat(t, "the maps to hear of it", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.dirty) == 0
		})
	}
	began := time.Now()
	for i, p := range pages {
		difference := ""
		awaitThat(t, fmt.Sprintf("map %d to show what there is", i), func() bool {
			difference = p.differs(there)
			return difference == ""
		})
	}
	bytes := 0
	for _, p := range pages {
		p.mu.Lock()
		bytes += p.screen.bytes
		p.mu.Unlock()
	}
	t.Logf("%d maps of %d couriers agree %v after the last move; they were sent %d kB", dispatchers, len(there.couriers), time.Since(began).Round(time.Millisecond), bytes/1000)
}

// makePoor gives every other map a small budget, and answers how many maps there are.
func (f *fleet) makePoor() (maps int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for v := range f.views {
		if maps++; maps%2 == 0 {
			v.purse.rate, v.purse.most = 150_000, 150_000
		}
	}
	return len(f.views)
}
