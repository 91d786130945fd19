package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
	wire "hotfoot/tracking/frame"
)

// cutWithin is how soon open sockets stop receiving when they may not see any more.
const cutWithin = 5 * time.Second

// street is a courier on the way to two doors, and those who watch the second one.
type street struct {
	*shop
	t           *testing.T
	n           *node
	phone       tracking.Actor
	first, mine tracking.Record
	socket      *socket
	stream      *stream
	began       string // the cursor of whoever saw the courier
}

// secret is where nobody may be seen, and elsewhere another customer's door.
var (
	secret    = tracking.Place{Lat: 37.798765, Lon: -122.432109}
	elsewhere = tracking.Place{Lat: 37.712345, Lon: -122.454321, Address: "9 Hidden Street", Name: "Somebody Else"}
)

func (s *shop) set(t *testing.T, change func(*tracking.Merchant)) {
	t.Helper()
	_, err := s.tenancy.Amend(t.Context(), s.boss, change)
	must(t, err)
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := newShop(t)
	st := &street{shop: s, t: t, n: s.node(gateway.Config{}), phone: s.hire("Sam")}
	var err error
	st.first, err = s.dispatch.Create(t.Context(), s.boss, tracking.Draft{
		Pickup: kitchen, Dropoff: elsewhere, Recipient: tracking.Recipient{Name: "Somebody Else"}, CourierID: st.phone.CourierID,
	}, tracking.Once{})
	must(t, err)
	st.mine = s.deliver(st.phone, tracking.PickedUp, tracking.EnRoute)
	s.move(st.phone, 37.7801, -122.41)
	st.socket = st.n.watch(t, st.mine)
	st.socket.frame("the courier", 0, func(f frame) bool { return f.Type == "position" || f.Position != nil })
	st.stream = st.n.stream(t, st.mine, "")
	s.move(st.phone, 37.7802, -122.41)
	st.socket.ofType("position", 0)
	st.stream.await("position", 0)
	st.began = fmt.Sprintf("%d.%d", st.mine.Epoch, st.mine.Delivery.Ver)
	return st
}

// poll is what a page that polls is answered.
func (st *street) poll() (tracking.View, string) {
	st.t.Helper()
	viewing := tracking.NewViewing(st.linker, st.hot, tracking.ViewingConfig{}, time.Now)
	v, live, err := viewing.Show(st.t.Context(), st.token(st.mine), nil)
	must(st.t, err)
	return v, string(wire.Snapshot(v, 0, live, time.Now()))
}

// spoilt is what nobody may find in a frame after the end.
func spoilt(text string) bool {
	var f frame
	_ = json.Unmarshal([]byte(text), &f)
	return f.Type == "position" || f.Position != nil || strings.Contains(text, "37.7987") || strings.Contains(text, "-122.4321")
}

// Every way in which it ends, on sockets and streams that are open, for those who come back with what they knew, for those who come new, here and on a
// node that does not watch.
func TestCustomers_cut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end     func(*street)
		why     string // "" when they may look on and see nothing
		parked  bool   // the courier's positions are refused from then on
		closing bool   // so are the sockets
	}{
		"the delivery is finished": {end: func(st *street) {
			st.report(st.phone, st.report(st.phone, st.mine, tracking.Arriving), tracking.Delivered)
		}, why: "finished", closing: true},
		"the delivery fails": {end: func(st *street) { st.report(st.phone, st.mine, tracking.Failed) }, why: "not_yet"},
		"stops are inserted before": {end: func(st *street) {
			for range 2 {
				first, added := 0, st.deliver(tracking.Actor{})
				_, err := st.dispatch.Assign(st.t.Context(), st.boss, added.Delivery.ID, st.phone.CourierID, &first)
				must(st.t, err)
			}
		}, why: "not_yet"},
		"the shift ends":              {end: func(st *street) { st.shift(st.phone, false) }, why: "off", parked: true},
		"the merchant allows no stop": {end: func(st *street) { st.set(st.t, func(m *tracking.Merchant) { m.VisibleStops = 0 }) }, why: "not_yet"},
		"the merchant shows them only as they arrive": {end: func(st *street) {
			st.set(st.t, func(m *tracking.Merchant) { m.VisibleFrom = tracking.Arriving })
		}, why: "not_yet"},
		"the merchant wants them late": {end: func(st *street) {
			st.set(st.t, func(m *tracking.Merchant) { m.Delay = tracking.MaxDelay })
		}},
		"they come home": {end: func(st *street) {
			_, err := st.roster.Amend(st.t.Context(), st.boss, st.phone.CourierID, func(c *tracking.Courier) {
				c.HiddenZones = []tracking.Zone{{Lat: 37.7802, Lon: -122.41, RadiusM: 100}, {Lat: secret.Lat, Lon: secret.Lon, RadiusM: 100}}
			})
			must(st.t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStreet(t)
			from := len(st.socket.heard())
			st.stream.mu.Lock()
			streamed := len(st.stream.events)
			st.stream.mu.Unlock()
			over := func(f frame) bool {
				return f.Type == "view" && f.Position == nil && (c.why == "" && *f.Visible || c.why != "" && !*f.Visible && *f.Why == c.why)
			}
			began := time.Now()
			c.end(st)
			_, cut := st.socket.frame("the end", from, over)
			for {
				e, next := st.stream.await("view", streamed)
				if streamed = next; over(e.frame) {
					break
				}
			}
			if took := time.Since(began); took > cutWithin {
				t.Errorf("it took %v", took)
			}
			if !c.parked {
				st.move(st.phone, secret.Lat, secret.Lon)
			}
			if c.closing {
				st.socket.closed()
			}
			known := fmt.Sprintf("%d.%d", st.mine.Epoch, st.mine.Delivery.Ver)
			other := st.node(gateway.Config{})
			for where, v := range map[string]*socket{
				"who comes back": dial(t, live(st.n, st.token(st.mine), known)), "who comes back elsewhere": dial(t, live(other, st.token(st.mine), known)),
				"a newcomer": dial(t, live(st.n, st.token(st.mine), "")),
			} {
				f, _ := v.ofType("snapshot", 0)
				if spoilt(f.raw) || *f.Visible != (c.why == "") {
					t.Errorf("%s is shown %s", where, f.raw)
				}
			}
			if e, _ := st.n.stream(t, st.mine, known).await("snapshot", 0); spoilt(e.frame.raw) {
				t.Errorf("a stream that resumes is sent %s", e.frame.raw)
			}
			if v, text := st.poll(); v.Position != nil || spoilt(text) || string(v.Why) != c.why {
				t.Errorf("a poll is answered %s", text)
			}
			for _, text := range st.socket.heard()[cut-1:] {
				if spoilt(text) {
					t.Errorf("after the end: %s", text)
				}
			}
			st.stream.mu.Lock()
			defer st.stream.mu.Unlock()
			for _, e := range st.stream.events[streamed-1:] {
				if spoilt(e.frame.raw) {
					t.Errorf("after the end: %s", e.frame.raw)
				}
			}
			for _, text := range st.socket.heard() {
				for _, theirs := range []string{"37.712345", "-122.454321", "Hidden Street", "Somebody", st.first.Delivery.ID.String(), st.phone.CourierID.String()} {
					if strings.Contains(text, theirs) {
						t.Errorf("another customer's %s: %s", theirs, text)
					}
				}
			}
		})
	}
}

// A delivery that is given to another courier shows that one, and never again the first.
func TestCustomers_anotherCourier(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	sam, max := s.hire("Sam"), s.hire("Max")
	r := s.deliver(sam)
	v := n.watch(t, r)
	s.move(sam, secret.Lat, secret.Lon)
	_, err := s.dispatch.Assign(t.Context(), s.boss, r.Delivery.ID, max.CourierID, nil)
	must(t, err)
	s.report(max, r, tracking.PickedUp)
	s.move(sam, secret.Lat+0.00001, secret.Lon)
	s.report(max, r, tracking.EnRoute)
	s.move(sam, secret.Lat+0.00002, secret.Lon)
	s.move(max, 37.7805, -122.41)
	v.frame("Max", 0, func(f frame) bool { return strings.Contains(f.raw, "37.7805") })
	for _, text := range v.heard() {
		if strings.Contains(text, "37.7987") {
			t.Errorf("Sam is shown: %s", text)
		}
	}
}

// A courier who passes through a hidden zone is seen before it and after it.
func TestCustomers_hiddenZone(t *testing.T) {
	t.Parallel()
	st := newStreet(t)
	_, err := st.roster.Amend(t.Context(), st.boss, st.phone.CourierID, func(c *tracking.Courier) {
		c.HiddenZones = []tracking.Zone{{Lat: secret.Lat, Lon: secret.Lon, RadiusM: 500}}
	})
	must(t, err)
	st.move(st.phone, 37.7803, -122.41)
	_, at := st.socket.frame("them before it", 0, func(f frame) bool { return strings.Contains(f.raw, "37.7803") })
	for i := range 3 {
		st.move(st.phone, secret.Lat+float64(i)/1000, secret.Lon)
	}
	hidden, at := st.socket.frame("nothing of them", at, func(f frame) bool { return f.Type == "view" })
	if !*hidden.Visible || hidden.Why != nil || hidden.Position != nil || !strings.Contains(hidden.raw, `"eta":null`) {
		t.Errorf("in the zone: %s", hidden.raw)
	}
	if v, text := st.poll(); v.Position != nil || v.ETA != nil || v.Why != tracking.Shown {
		t.Errorf("a poll is answered %s", text)
	}
	st.move(st.phone, 37.7804, -122.41)
	_, end := st.socket.ofType("position", at)
	for _, text := range st.socket.heard()[at-1 : end-1] {
		if spoilt(text) {
			t.Errorf("in the zone: %s", text)
		}
	}
	if last := st.socket.heard()[end-1]; !strings.Contains(last, "37.7804") || !strings.Contains(last, `"eta":{`) {
		t.Errorf("after it: %s", last)
	}
}

// Rounding is in force while others come first, and reaches sockets that are open.
func TestCustomers_rounded(t *testing.T) {
	t.Parallel()
	st := newStreet(t)
	from := len(st.socket.heard())
	st.set(t, func(m *tracking.Merchant) { m.RoundingM = 400 })
	view, at := st.socket.frame("a rounded place", from, func(f frame) bool { return f.Type == "view" })
	if view.Position == nil || !strings.Contains(view.raw, `"rounded_m":400`) || strings.Contains(view.raw, "accuracy_m") {
		t.Errorf("rounded: %s", view.raw)
	}
	st.move(st.phone, 37.78021, -122.4101)
	next, at := st.socket.ofType("position", at)
	if !strings.Contains(next.raw, fmt.Sprintf(`"lat":%v,"lon":%v,"rounded_m":400,`, view.Position.Lat, view.Position.Lon)) {
		t.Errorf("a step further in the cell of %s: %s", view.raw, next.raw)
	}
	_, err := st.dispatch.Cancel(t.Context(), st.boss, st.first.Delivery.ID, "changed their mind")
	must(t, err)
	_, at = st.socket.frame("the very place", at, func(f frame) bool {
		return f.Type == "view" && f.Position != nil && f.Position.Lat == 37.78021 && *f.StopsBefore == 0
	})
	st.move(st.phone, 37.78031, -122.4101)
	if f, _ := st.socket.ofType("position", at); !strings.Contains(f.raw, `"lat":37.78031,`) {
		t.Errorf("at last: %s", f.raw)
	}
}

// Whoever comes first is shown what is old enough once it is, and nothing before.
func TestCustomers_delayed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	s.set(t, func(m *tracking.Merchant) { m.Delay = time.Minute })
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	s.move(phone, 37.7801, -122.41)
	v := n.watch(t, r)
	s.move(phone, 37.7802, -122.41)
	n.advance(50 * time.Second)
	_, at := v.ofType("tick", len(v.heard())) // which looks for what has become old enough first
	for _, text := range v.heard()[:at] {
		if f := decode(t, text); f.Type == "position" || f.Position != nil {
			t.Errorf("too soon: %s", text)
		}
	}
	n.advance(11 * time.Second)
	f, _ := v.ofType("position", at)
	for !strings.Contains(f.raw, "37.7802") {
		f, at = v.ofType("position", at)
	}
}

// A link that was revoked opens neither a socket nor a stream, and is told nothing more.
func TestCustomers_cut_revoked(t *testing.T) {
	t.Parallel()
	st := newStreet(t)
	_, err := st.dispatch.RevokeLink(t.Context(), st.boss, st.mine.Delivery.ID)
	must(t, err)
	if code := st.socket.closed(); code != 4003 {
		t.Errorf("closed with %d", code)
	}
	if answer := refused(t, live(st.n, st.token(st.mine), st.began), http.Header{}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("answered %s", answer.Status)
	}
}

// A link that has expired opens neither a socket nor a stream, also where what it opened is still in memory. None is open by then: they are closed when the
// delivery ends, and whoever comes later is told how it ended, and sent away.
func TestCustomers_cut_expired(t *testing.T) {
	t.Parallel()
	st := newStreet(t)
	st.report(st.phone, st.report(st.phone, st.mine, tracking.Arriving), tracking.Delivered)
	if code := st.socket.closed(); code != 4001 {
		t.Errorf("the end closes with %d", code)
	}
	late := dial(t, live(st.n, st.token(st.mine), ""))
	if code := late.closed(); code != 4001 {
		t.Errorf("who comes afterwards is sent away with %d", code)
	}
	st.n.advance(tracking.LinkLife)
	for _, since := range []string{"", st.began} {
		if answer := refused(t, live(st.n, st.token(st.mine), since), http.Header{}); answer.StatusCode != http.StatusNotFound {
			t.Errorf("since %q: a socket is answered %s", since, answer.Status)
		}
	}
	answer, err := st.n.server.Client().Get(st.n.server.URL + "/track/" + st.token(st.mine) + "/events")
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("a stream is answered %s", answer.Status)
	}
}
