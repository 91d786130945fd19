package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// opsFrame is a frame of the live map.
type opsFrame struct {
	Type     string
	N        int64
	Full     bool
	Live     *bool
	Couriers []struct {
		ID       tracking.ID
		Lat, Lon float64
		Name     *string
		Stops    *int
	}
	Gone     []tracking.ID
	Clusters *[]struct{ Count int }
	Events   []struct {
		DeliveryID tracking.ID `json:"delivery_id"`
		Ver        int64
		Status     string
	}
	Alerts []struct {
		Kind       string
		CourierID  *tracking.ID `json:"courier_id"`
		DeliveryID *tracking.ID `json:"delivery_id"`
		Over       bool
	}
	Stats struct {
		CouriersOnDuty int `json:"couriers_on_duty"`
		Active         int
		Late           int
		Silent         int
		Unassigned     int
	}
}

func (f opsFrame) has(id tracking.ID) bool {
	for _, c := range f.Couriers {
		if c.ID == id {
			return true
		}
	}
	return false
}

func decodeOps(t *testing.T, text string) (f opsFrame) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return f
}

// board is a live map that a test looks at.
type board struct {
	*socket
	from int
}

func (n *node) board(t *testing.T) *board { return &board{socket: dial(t, url(n, "/ops"))} }

const wide = `[-180,-90,180,90]`

// look sets the window, and answers the full frame that follows.
func (b *board) look(bbox string, zoom int, filter string) opsFrame {
	b.t.Helper()
	b.send(`{"type":"view","bbox":%s,"zoom":%d,"filter":{%s}}`, bbox, zoom, filter)
	return b.next("a full frame", func(f opsFrame) bool { return f.Full })
}

// next waits for a frame after those that were waited for before.
func (b *board) next(what string, content func(opsFrame) bool) (f opsFrame) {
	b.t.Helper()
	_, b.from = b.await(what, b.from, func(text string) bool {
		f = decodeOps(b.t, text)
		return f.Type == "frame" && content(f)
	})
	return f
}

func TestOps_Live(t *testing.T) {
	t.Parallel()
	t.Run("shows who is in the window, follows them, and says who has left", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		sam, kim := s.hire("Sam"), s.hire("Kim")
		s.deliver(sam)
		s.move(sam, 37.78, -122.41)
		s.move(kim, 52.52, 13.40)
		b := n.board(t)
		first := b.look(`[-123,37,-122,38]`, 13, "")
		if len(first.Couriers) != 1 || *first.Couriers[0].Name != "Sam" || *first.Couriers[0].Stops != 1 || first.Stats.CouriersOnDuty != 2 || first.Stats.Active != 1 {
			t.Errorf("it begins with %+v", first)
		}
		s.move(kim, 52.53, 13.40) // outside: nobody's business here
		s.move(sam, 37.79, -122.41)
		moved := b.next("Sam's move", func(f opsFrame) bool { return f.has(sam.CourierID) })
		if len(moved.Couriers) != 1 || moved.Couriers[0].Lat != 37.79 || moved.Couriers[0].Name != nil || moved.Full {
			t.Errorf("moved: %+v", moved)
		}
		s.move(kim, 37.5, -122.5)
		b.next("Kim", func(f opsFrame) bool { return f.has(kim.CourierID) && *f.Couriers[0].Name == "Kim" })
		s.move(sam, 39, -122.41)
		b.next("Sam to leave", func(f opsFrame) bool { return slices.Contains(f.Gone, sam.CourierID) })
		s.shift(kim, false)
		b.next("Kim to go home", func(f opsFrame) bool { return slices.Contains(f.Gone, kim.CourierID) })
		s.shift(kim, true)
		s.move(kim, 37.5, -122.5)
		b.next("Kim again", func(f opsFrame) bool { return f.has(kim.CourierID) })
		if again := b.look(`[12,50,14,54]`, 13, ""); len(again.Couriers) != 0 {
			t.Errorf("in another window: %+v", again)
		}
	})
	t.Run("filters by name and by courier", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		sam, kim := s.hire("Sam"), s.hire("Kim")
		s.move(sam, 37.78, -122.41)
		s.move(kim, 37.78, -122.41)
		b := n.board(t)
		if f := b.look(wide, 13, `"q":"sA"`); len(f.Couriers) != 1 || !f.has(sam.CourierID) {
			t.Errorf("by name: %+v", f)
		}
		if f := b.look(wide, 13, fmt.Sprintf(`"courier_ids":[%q]`, kim.CourierID)); len(f.Couriers) != 1 || !f.has(kim.CourierID) {
			t.Errorf("by courier: %+v", f)
		}
		if f := b.look(wide, 13, ``); len(f.Couriers) != 2 {
			t.Errorf("all: %+v", f)
		}
	})
	t.Run("shows a window across the antimeridian, however it is written", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		east, west, far := s.hire("East"), s.hire("West"), s.hire("Far")
		s.move(east, -17, 179.5)
		s.move(west, -17, -179.5)
		s.move(far, -17, 0)
		b := n.board(t)
		for _, bbox := range []string{`[179,-20,-179,-10]`, `[179,-20,181,-10]`, `[-181,-20,-179,-10]`} {
			if f := b.look(bbox, 13, ""); len(f.Couriers) != 2 || f.has(far.CourierID) {
				t.Errorf("%s: %+v", bbox, f.Couriers)
			}
		}
	})
	t.Run("tells every event and every alert", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		sam := s.hire("Sam")
		b := n.board(t)
		b.look(wide, 13, "")
		r, err := s.dispatch.Create(t.Context(), s.boss, tracking.Draft{
			Pickup: kitchen, Dropoff: home, CourierID: sam.CourierID, Window: tracking.Window{To: time.Now().Add(10 * time.Minute)},
		}, tracking.Once{})
		s.must(err)
		s.move(sam, 37.78, -122.41)
		for _, status := range []tracking.Status{tracking.PickedUp, tracking.EnRoute, tracking.Arriving} {
			r = s.report(sam, r, status)
			b.next("the event", func(f opsFrame) bool {
				return len(f.Events) > 0 && f.Events[len(f.Events)-1].Ver == r.Delivery.Ver
			})
		}
		if got, want := b.toldOf(r.Delivery.ID), []int64{2, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("the events are %v, want %v", got, want)
		}
		alert := func(kind string, over bool) func(opsFrame) bool {
			return func(f opsFrame) bool {
				for _, a := range f.Alerts {
					if a.Kind == kind && a.Over == over {
						return true
					}
				}
				return false
			}
		}
		n.advance(3 * time.Minute)
		b.next("Sam to be silent", alert("silent", false))
		if f := n.board(t).look(wide, 13, ""); !alert("silent", false)(f) || f.Stats.Silent != 1 {
			t.Errorf("who comes later is told %+v", f)
		}
		n.advance(8 * time.Minute)
		if f := b.next("the delivery to be late", alert("late", false)); f.Stats.Late != 1 {
			t.Errorf("late, but the numbers are %+v", f.Stats)
		}
		s.report(sam, r, tracking.Delivered)
		b.next("the delay to be over", alert("late", true))
		b.next("the silence to be over", func(f opsFrame) bool { return f.Stats.Silent == 0 && f.Stats.Active == 0 })
	})
	t.Run("shows a crowd from afar as clusters, and starts over when it becomes or ends one", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		var crowd []tracking.Actor
		for i := range 301 {
			phone := s.hire(fmt.Sprint("Courier ", i))
			crowd = append(crowd, phone)
			if i < 300 {
				s.move(phone, 37.5+float64(i)/1000, -122.41)
			}
		}
		b := n.board(t)
		if f := b.look(wide, 5, ""); len(f.Couriers) != 300 {
			t.Errorf("three hundred are no crowd, yet there are %d", len(f.Couriers))
		}
		s.move(crowd[300], 37.78, -122.41)
		f := b.next("clusters", func(f opsFrame) bool { return f.Clusters != nil && len(*f.Clusters) > 0 })
		count := 0
		for _, c := range *f.Clusters {
			count += c.Count
		}
		if count != 301 || len(f.Couriers) != 0 || !f.Full {
			t.Errorf("the clusters hold %d, beside %d couriers, full is %v", count, len(f.Couriers), f.Full)
		}
		if near := b.look(wide, 12, ""); len(near.Couriers) != 301 || len(*near.Clusters) != 0 {
			t.Errorf("from near there are %d", len(near.Couriers))
		}
		if far := b.look(wide, 5, ""); len(far.Couriers) != 0 {
			t.Errorf("from afar again there are %d", len(far.Couriers))
		}
		s.shift(crowd[300], false)
		f = b.next("couriers again", func(f opsFrame) bool { return len(f.Couriers) > 0 })
		if len(f.Couriers) != 300 || !f.Full || f.Clusters == nil || len(*f.Clusters) != 0 {
			t.Errorf("after the crowd there are %d couriers, full is %v", len(f.Couriers), f.Full)
		}
	})
	t.Run("closes on what is no window", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		n := s.node(gateway.Config{})
		for _, message := range []string{
			`{`, `{"type":"hello"}`, `{"type":"view","bbox":[0,10,0,-10],"zoom":3}`, `{"type":"view","bbox":[0,-91,1,1],"zoom":3}`,
			`{"type":"view","bbox":[-999,0,1,1],"zoom":3}`, `{"type":"view","bbox":[0,0,1,1],"zoom":99}`, `{"type":"view","bbox":[0,0,1,1],"zoom":3,"filter":{"courier_ids":["x"]}}`,
		} {
			b := n.board(t)
			b.send("%s", message)
			if code := b.closed(); code != 1003 {
				t.Errorf("%s: closed with %d", message, code)
			}
		}
	})
}

// slowTruth lets a test do something while a map is being read.
type slowTruth struct {
	truth
	meanwhile func()
}

func (s slowTruth) Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error) {
	active, err := s.truth.Active(ctx, merchant, limit)
	s.meanwhile()
	return active, err
}

// A map is read from Postgres while announcements arrive. What was heard meanwhile is newer than what was read.
func TestOps_Live_hears_while_it_reads(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var mu sync.Mutex
	var on, off tracking.Actor
	busy := s.hire("Busy")
	delivery := s.deliver(busy)
	// A map is read once or several times until nothing can have been missed. So every time somebody comes and somebody goes, and what was under
	// way ends and something else begins.
	change := func() {
		mu.Lock()
		defer mu.Unlock()
		off = on
		on = s.hire("Fresh")
		s.move(on, 37.78, -122.41)
		if off.CourierID != (tracking.ID{}) {
			s.shift(off, false)
		}
		_, err := s.dispatch.Cancel(t.Context(), s.boss, delivery.Delivery.ID, "no more")
		s.must(err)
		delivery = s.deliver(busy)
		s.heardBy(t)
	}
	n := s.nodeOver(nodeParts{staff: slowTruth{s.truth, change}})
	b := n.board(t)
	for deadline := time.Now().Add(patience); ; {
		f := b.look(wide, 13, "")
		mu.Lock()
		settled := f.has(on.CourierID) && !f.has(off.CourierID) && f.Stats.Active == 1 && f.Stats.CouriersOnDuty == 2
		mu.Unlock()
		if settled {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the map shows %+v", f)
		}
	}
}

// heardBy waits until what was announced so far has arrived at every subscriber: one connection carries all, in order.
func (s *shop) heardBy(t *testing.T) {
	t.Helper()
	sub := s.client.Subscribe(t.Context(), "barrier")
	defer sub.Close()
	for range 2 {
		if _, err := sub.ReceiveTimeout(t.Context(), patience); err != nil {
			t.Error(err)
			return
		}
		must(t, s.client.Publish(t.Context(), "barrier", "").Err())
	}
}

func TestCouriers_Live(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	type route struct {
		Type       string
		DeliveryID tracking.ID `json:"delivery_id"`
		Deliveries []struct {
			ID          tracking.ID
			Status      string
			StopsBefore *int `json:"stops_before"`
		}
		ID         int64
		DurableSeq *int64 `json:"durable_seq"`
		Accepted   int64  `json:"accepted_seq"`
		Code       string
		Receipts   []struct {
			Seq    int64
			Result string
			Code   string
		}
	}
	// next waits for a frame, and answers it and where the next begins.
	next := func(t *testing.T, v *socket, what string, from int, content func(route) bool) (r route, at int) {
		t.Helper()
		_, at = v.await(what, from, func(text string) bool {
			r = route{}
			must(t, json.Unmarshal([]byte(text), &r))
			return content(r)
		})
		return r, at
	}
	stops := func(ids ...tracking.ID) func(route) bool {
		return func(r route) bool {
			if r.Type != "route" || len(r.Deliveries) != len(ids) {
				return false
			}
			for i, d := range r.Deliveries {
				if d.ID != ids[i] {
					return false
				}
			}
			return true
		}
	}
	notice := func(kind string, id tracking.ID) func(route) bool {
		return func(r route) bool { return r.Type == kind && r.DeliveryID == id }
	}
	t.Run("tells the route at once, and what becomes of it", func(t *testing.T) {
		t.Parallel()
		sam, kim := s.hire("Sam"), s.hire("Kim")
		a := s.deliver(sam)
		v := dial(t, url(n, "/courier/"+sam.CourierID.String()))
		_, at := next(t, v, "the route", 0, stops(a.Delivery.ID))
		b := s.deliver(sam)
		_, at = next(t, v, "an assignment", at, notice("assigned", b.Delivery.ID))
		_, at = next(t, v, "the new route", at, stops(a.Delivery.ID, b.Delivery.ID))
		must(t, s.dispatch.Reorder(t.Context(), s.boss, sam.CourierID, []tracking.ID{b.Delivery.ID, a.Delivery.ID}))
		_, at = next(t, v, "another order", at, func(r route) bool { return r.Type == "reordered" })
		_, at = next(t, v, "the new route", at, stops(b.Delivery.ID, a.Delivery.ID))
		_, err := s.dispatch.Assign(t.Context(), s.boss, b.Delivery.ID, kim.CourierID, nil)
		must(t, err)
		_, at = next(t, v, "one to be taken away", at, notice("unassigned", b.Delivery.ID))
		_, at = next(t, v, "the new route", at, stops(a.Delivery.ID))
		_, err = s.dispatch.Cancel(t.Context(), s.boss, a.Delivery.ID, "changed their mind")
		must(t, err)
		_, at = next(t, v, "one to be cancelled", at, notice("cancelled", a.Delivery.ID))
		next(t, v, "the empty route", at, stops())
	})
	t.Run("takes positions up and answers each report by its id", func(t *testing.T) {
		t.Parallel()
		sam := s.hire("Sam")
		v := dial(t, url(n, "/courier/"+sam.CourierID.String()))
		at := time.Now().UTC().Format(time.RFC3339Nano)
		v.send(`{"type":"positions","id":7,"session":"s","positions":[{"seq":1,"recorded_at":%q,"lat":37.78,"lon":-122.41},{"seq":2,"recorded_at":%q,"lat":91,"lon":0}]}`, at, at)
		r, _ := next(t, v, "the receipt", 0, func(r route) bool { return r.Type == "receipt" && r.ID == 7 })
		if r.Accepted != 2 || r.DurableSeq == nil || len(r.Receipts) != 2 || r.Receipts[0].Result != "live" || r.Receipts[1].Code != "coordinate" {
			t.Errorf("the receipt says %+v", r)
		}
		newest, err := s.hot.NewestOf(t.Context(), []tracking.ID{sam.CourierID})
		if err != nil || newest[0] == nil || math.Abs(newest[0].Lat-37.78) > 1e-9 {
			t.Errorf("the newest is %+v, %v", newest, err)
		}
		s.shift(sam, false)
		v.send(`{"type":"positions","id":8,"positions":[{"recorded_at":%q,"lat":37.78,"lon":-122.41}]}`, at)
		if r, _ := next(t, v, "the refusal", 0, func(r route) bool { return r.ID == 8 }); r.Code != "off_shift" {
			t.Errorf("off duty: %+v", r)
		}
		v.send(`{"type":"hello"}`)
		if code := v.closed(); code != 1003 {
			t.Errorf("closed with %d", code)
		}
	})
}
