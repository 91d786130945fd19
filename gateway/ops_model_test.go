package gateway

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hotfoot/tracking"
)

// mapModel does to a fleet what a day does to it, all at random, and knows what is true by its own account.
type mapModel struct {
	*city
	truth
	t     *testing.T
	on    []tracking.ID
	off   []tracking.Courier // off duty
	jobs  []tracking.Record
	views []*modelView
}

// modelView is one map: what it asked for, what it was told, and what it should have been.
type modelView struct {
	socket *opsSocket
	screen *screen
	window *bbox // nil until it asked for one
	asleep bool  // it takes no frames
	events []string
}

// TestFleet_every_map_converges is the heart of the live map: whatever happens in whatever order, when things come to rest every map shows what is in
// its window, and was told every event once, whatever it could take of the rest meanwhile.
func TestFleet_every_map_converges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := &mapModel{
				city: newCity(t, 0), t: t,
				truth: truth{map[tracking.ID]tracking.Courier{}, map[tracking.ID]tracking.Position{}, map[tracking.ID]int{}},
			}
			m.rand = rand.New(rand.NewPCG(seed, 7))
			for range 330 + m.rand.IntN(300) {
				m.join()
			}
			for range 3000 {
				m.step()
			}
			m.rest()
		})
	}
}

// any answers one of those on duty.
func (m *mapModel) any() tracking.ID { return m.on[m.rand.IntN(len(m.on))] }

func (m *mapModel) step() {
	switch n := m.rand.IntN(1000); {
	case n < 600:
		m.move(m.any())
	case n < 620:
		m.join()
	case n < 640 && len(m.couriers) > 280:
		m.leave(m.any())
	case n < 650:
		m.rename(m.any())
	case n < 720:
		m.job()
	case n < 725 && len(m.views) < 12:
		m.open()
	case n < 726 && len(m.views) > 0:
		m.closeOne()
	case n < 760:
		m.ask()
	case n < 790 && len(m.views) > 0:
		v := m.views[m.rand.IntN(len(m.views))]
		v.asleep = !v.asleep
	case n < 791:
		m.now = m.now.Add(time.Duration(m.rand.IntN(180)) * time.Second) // some fall silent, some are late
	case n < 850:
		m.tickAll()
	}
}

// somewhere is where couriers are: around a city, on both sides of the antimeridian, and now and then anywhere.
func (m *mapModel) somewhere() (lat, lon float64) {
	switch n := m.rand.IntN(10); {
	case n < 6:
		return citySouth + m.rand.Float64()*cityWide, cityWest + m.rand.Float64()*cityWide
	case n < 9:
		lon := 179.8 + m.rand.Float64()*0.4
		if lon > 180 {
			lon -= 360
		}
		return -17 + m.rand.Float64()*0.4, lon
	case m.rand.IntN(4) == 0:
		return []float64{-90, 90, 0}[m.rand.IntN(3)], []float64{-180, 180, 0}[m.rand.IntN(3)]
	}
	return m.rand.Float64()*180 - 90, m.rand.Float64()*360 - 180
}

func (m *mapModel) move(id tracking.ID) {
	lat, lon := m.somewhere()
	p := m.newest[id]
	if !p.RecordedAt.IsZero() && m.rand.IntN(8) > 0 {
		lat, lon = min(90, max(-90, p.Lat+(m.rand.Float64()-0.5)*0.01)), math.Remainder(p.Lon+(m.rand.Float64()-0.5)*0.01, 360)
	}
	late := !p.RecordedAt.IsZero() && m.rand.IntN(20) == 0
	p = tracking.Position{RecordedAt: m.now.Truncate(time.Millisecond), Lat: lat, Lon: lon, HeadingDeg: tracking.Read(44)}
	m.now = m.now.Add(time.Millisecond)
	if late {
		p.RecordedAt = m.newest[id].RecordedAt.Add(-time.Minute)
	}
	if p.RecordedAt.After(m.newest[id].RecordedAt) {
		m.newest[id] = p
	}
	m.moved(id, p)
}

func (m *mapModel) join() {
	c := tracking.Courier{ID: tracking.NewID(), Name: fmt.Sprintf("Courier Ä%d", m.rand.IntN(1000)), Vehicle: tracking.Bike}
	if n := len(m.off); n > 0 && m.rand.IntN(2) == 0 {
		c, m.off = m.off[n-1], m.off[:n-1]
	}
	c.OnDuty, c.Rev = true, c.Rev+1
	m.couriers[c.ID] = c
	m.on = append(m.on, c.ID)
	m.staffed(c)
	if m.rand.IntN(10) > 0 {
		m.move(c.ID)
	}
}

func (m *mapModel) leave(id tracking.ID) {
	c := m.couriers[id]
	c.OnDuty, c.Rev = false, c.Rev+1
	delete(m.couriers, id)
	delete(m.newest, id)
	i := slices.Index(m.on, id)
	m.on = slices.Delete(m.on, i, i+1)
	m.off = append(m.off, c)
	m.staffed(c)
	if m.rand.IntN(3) == 0 { // they come straight back
		c.OnDuty, c.Rev = true, c.Rev+1
		m.off = m.off[:len(m.off)-1]
		m.couriers[id] = c
		m.on = append(m.on, id)
		m.staffed(c)
		m.move(id)
	}
}

func (m *mapModel) rename(id tracking.ID) {
	c := m.couriers[id]
	c.Name, c.Rev = fmt.Sprintf("Käthe %d", m.rand.IntN(1000)), c.Rev+1
	m.couriers[id] = c
	m.staffed(c)
}

// job makes a delivery, or has something happen to one.
func (m *mapModel) job() {
	i := len(m.jobs)
	if i < 40 || m.rand.IntN(4) == 0 {
		r := tracking.Record{Epoch: 1, Delivery: tracking.Delivery{
			ID: tracking.NewID(), Status: tracking.Created, Window: tracking.Window{To: m.now.Add(time.Duration(m.rand.IntN(300)) * time.Second)},
		}}
		m.jobs = append(m.jobs, r)
	} else {
		i = m.rand.IntN(i)
	}
	r := &m.jobs[i]
	if r.Delivery.Status.Final() {
		return
	}
	before := *r
	switch d := &r.Delivery; {
	case d.Ver == 0:
	case d.Status == tracking.Created:
		d.Status, d.CourierID = tracking.Assigned, m.any()
	case d.Status == tracking.Assigned:
		d.Status = tracking.PickedUp
	case d.Status == tracking.PickedUp && m.rand.IntN(3) == 0:
		d.Status = tracking.Cancelled
	case d.Status == tracking.PickedUp:
		d.Status = tracking.EnRoute
	case d.Status == tracking.EnRoute:
		d.Status = tracking.Arriving
	default:
		d.Status = tracking.Delivered
	}
	m.carries(before.Delivery, -1)
	m.carries(r.Delivery, 1)
	r.Delivery.Ver++
	r.Delivery.Rev++
	r.Events = append(r.Events[:len(r.Events):len(r.Events)], tracking.Event{Ver: r.Delivery.Ver, Status: r.Delivery.Status, At: m.now})
	for _, v := range m.views {
		if v.window != nil {
			v.events = append(v.events, fmt.Sprint(r.Delivery.ID, " ", r.Delivery.Ver))
		}
	}
	m.changed(*r)
	if m.rand.IntN(5) == 0 {
		m.changed(*r) // said again
	}
}

func (m *mapModel) carries(d tracking.Delivery, by int) {
	if d.Status.OnRoute() && !d.CourierID.IsZero() {
		m.stops[d.CourierID] += by
	}
}

func (m *mapModel) open() {
	v := &modelView{screen: newScreen(), socket: m.newMap()}
	if m.rand.IntN(2) == 0 {
		// So little that a window takes many frames and positions are held back.
		v.socket.purse.rate, v.socket.purse.most, v.socket.purse.credit = 4_000+m.rand.IntN(30_000), 5_000, 5_000
	}
	m.views = append(m.views, v)
}

func (m *mapModel) closeOne() {
	i := m.rand.IntN(len(m.views))
	m.mu.Lock()
	delete(m.fleet.views, m.views[i].socket)
	m.mu.Unlock()
	m.views = slices.Delete(m.views, i, i+1)
}

// ask has a map ask for another window; sometimes for many, of which the last counts.
func (m *mapModel) ask() {
	if len(m.views) == 0 {
		return
	}
	v := m.views[m.rand.IntN(len(m.views))]
	for range 1 + m.rand.IntN(3)*m.rand.IntN(10) {
		w := m.window()
		v.window = &w
		v.socket.ask(w.message())
	}
}

func (m *mapModel) window() bbox {
	w := []bbox{
		{-180, -90, 180, 90, 3, nil, ""},
		{-180, -90, 180, 90, 12, nil, ""},
		{-540, -90, 540, 90, 5, nil, ""},
		{179.9, -17.5, -179.9, -16, 13, nil, ""},
		{179.9, -17.5, 180.1, -16, 9, nil, ""},
		{-180.1, -17.5, -179.9, -16, 14, nil, ""},
		{170, -90, 169.9, 90, 2, nil, ""},
		{cityWest, citySouth, cityWest + cityWide, citySouth + cityWide, 10.5, nil, ""},
		{180, -90, 180, 90, 5, nil, ""},
	}[m.rand.IntN(9)]
	if m.rand.IntN(3) == 0 {
		lat, lon := m.somewhere()
		size := m.rand.Float64() * 0.2
		w = bbox{lon - size, max(-90, lat-size), lon + size, min(90, lat+size), m.rand.Float64() * 18, nil, ""}
	}
	switch m.rand.IntN(6) {
	case 0:
		w.Query = []string{"ä1", "käthe", "courier ä", "nobody"}[m.rand.IntN(4)]
	case 1:
		for range 1 + m.rand.IntN(20) {
			w.Only = append(w.Only, m.any())
		}
	}
	return w
}

// tickAll is a quarter of a second: every map makes its frame, and those that are awake take what waits for them.
func (m *mapModel) tickAll() {
	m.now = m.now.Add(frameEvery)
	m.tick(m.now, m.rand.IntN(4) == 0)
	for _, v := range m.views {
		if !v.asleep {
			m.take(v)
		}
		inLine := 0
		for _, mark := range v.socket.seen.marks {
			inLine += int(mark & waiting / waiting)
		}
		if len(v.socket.seen.line) != inLine {
			m.t.Fatalf("%d wait in the line, and it is %d long", inLine, len(v.socket.seen.line))
		}
	}
}

func (m *mapModel) take(v *modelView) {
	for _, text := range v.socket.taken() {
		if err := v.screen.apply(text); err != nil {
			m.t.Fatal(err)
		}
	}
}

// rest lets everything that waits arrive, and looks at every map.
func (m *mapModel) rest() {
	for _, v := range m.views {
		v.asleep = false
	}
	for i := range 4 * 90 { // a minute and a half, for the poorest map's whole window
		m.now = m.now.Add(frameEvery)
		m.tick(m.now, i%4 == 0)
		for _, v := range m.views {
			m.take(v)
		}
	}
	wantAlerts, wantStats := m.trouble()
	for i, v := range m.views {
		told := v.screen.n
		m.tick(m.now, false)
		if m.take(v); v.screen.n != told {
			m.t.Errorf("map %d is told something when nothing has happened", i)
		}
		if v.window == nil {
			continue
		}
		if difference := m.differs(v.screen, *v.window); difference != "" {
			m.t.Errorf("map %d, %+v: %s", i, *v.window, difference)
		}
		if !slices.Equal(v.screen.events, v.events) {
			m.t.Errorf("map %d was told %d events, of %d", i, len(v.screen.events), len(v.events))
		}
		if !maps.Equal(v.screen.alerts, wantAlerts) {
			m.t.Errorf("map %d shows %d alerts, of %d", i, len(v.screen.alerts), len(wantAlerts))
		}
		if v.screen.stats != wantStats {
			m.t.Errorf("map %d shows %+v, want %+v", i, v.screen.stats, wantStats)
		}
	}
	m.atRest()
}

// trouble is what alerts should stand.
func (m *mapModel) trouble() (alerts map[string]bool, s stats) {
	alerts, s = map[string]bool{}, stats{CouriersOnDuty: len(m.couriers)}
	for id := range m.couriers {
		if m.stops[id] > 0 && (m.newest[id].RecordedAt.IsZero() || m.now.Sub(m.newest[id].RecordedAt) > tracking.SilentAfter) {
			alerts["silent "+id.String()] = true
			s.Silent++
		}
	}
	for _, r := range m.jobs {
		if r.Delivery.Status.Final() {
			continue
		}
		s.Active++
		if r.Delivery.Status == tracking.Created {
			s.Unassigned++
		}
		if m.now.After(r.Delivery.Window.To) {
			alerts["late "+r.Delivery.ID.String()] = true
			s.Late++
		}
	}
	return alerts, s
}

// atRest looks at what the fleet keeps: no more than there is.
func (m *mapModel) atRest() {
	indexed := 0
	for _, list := range m.atlas.cells {
		indexed += len(*list)
	}
	located := 0
	for id := range m.couriers {
		if !m.newest[id].RecordedAt.IsZero() {
			located++
		}
	}
	if indexed != located || len(m.slots)-len(m.free) != len(m.couriers) {
		m.t.Errorf("%d couriers are indexed and %d have a slot, of %d, %d of them located", indexed, len(m.slots)-len(m.free), len(m.couriers), located)
	}
	for zoom, c := range m.censuses {
		counted := int64(0)
		for _, t := range c.cells {
			counted += t.count
		}
		if int(counted) != located {
			m.t.Errorf("%d couriers are counted for zoom %d, of %d", counted, zoom, located)
		}
	}
}
