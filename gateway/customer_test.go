package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// journey takes a delivery from assigned to delivered by way of many second thoughts: every status is a move that the domain allows. It stays
// below tracking.MaxEvents, so that a snapshot can tell all of it.
var journey = func() []tracking.Status {
	statuses := []tracking.Status{tracking.PickedUp, tracking.EnRoute}
	for range 26 {
		statuses = append(statuses, tracking.Arriving, tracking.EnRoute)
	}
	return append(statuses, tracking.Arriving, tracking.Delivered)
}()

// watcher is a customer who follows the client's rules to the letter, and any number of times leaves and comes back.
type watcher struct {
	epoch, ver int64
	visible    bool
	fix        string // recorded_at of the newest position shown
	positions  int
	nodes      []*node
}

// take judges one frame; first says that it is the first of a connection that was asked for everything since w.ver.
func (w *watcher) take(f frame, first bool) error {
	if first != (f.Type == "snapshot") {
		return fmt.Errorf("first is %v", first)
	}
	switch f.Type {
	case "snapshot":
		// Strictly what was missed: nothing twice, nothing left out.
		if f.Ver < w.ver {
			return fmt.Errorf("a snapshot of ver %d after ver %d", f.Ver, w.ver)
		}
		for i, e := range f.Events {
			if e.Ver != w.ver+int64(i)+1 {
				return fmt.Errorf("event %d has ver %d after ver %d", i, e.Ver, w.ver)
			}
		}
		if w.ver+int64(len(f.Events)) != f.Ver {
			return fmt.Errorf("%d events after ver %d, but the snapshot is of ver %d", len(f.Events), w.ver, f.Ver)
		}
		w.epoch, w.ver = f.Epoch, f.Ver
		return w.see(f)
	case "status":
		if f.Ver != w.ver+1 {
			return fmt.Errorf("status %d after %d", f.Ver, w.ver)
		}
		w.ver = f.Ver
	case "view":
		if f.SV != w.ver {
			return fmt.Errorf("a view of ver %d at ver %d", f.SV, w.ver)
		}
		return w.see(f)
	case "position":
		w.positions++
		if f.SV > w.ver {
			return fmt.Errorf("a position of ver %d at ver %d: a status was lost", f.SV, w.ver)
		}
		if !w.visible {
			return fmt.Errorf("a position while the courier is hidden")
		}
		return w.marker(f.RecordedAt)
	case "tick":
		if f.SV > w.ver {
			return fmt.Errorf("a tick of ver %d at ver %d: a status was lost", f.SV, w.ver)
		}
	}
	return nil
}

func (w *watcher) see(f frame) error {
	w.visible = *f.Visible
	if w.visible != (f.Why == nil) {
		return fmt.Errorf("visible %v, but why is %v", w.visible, f.Why)
	}
	if f.Position == nil {
		return nil
	}
	if !w.visible {
		return fmt.Errorf("a position although it is not visible")
	}
	return w.marker(f.Position.RecordedAt)
}

func (w *watcher) marker(at string) error {
	if at < w.fix {
		return fmt.Errorf("the marker went back from %s to %s", w.fix, at)
	}
	w.fix = at
	return nil
}

// watch follows the delivery until it has ended, leaving after a random number of frames and coming back to a random node.
func (w *watcher) watch(ctx context.Context, token string) error {
	for {
		if len(w.nodes) > 1 {
			// Another node may not have heard of the newest fix yet. Then it shows the one before, which the page does not take back.
			w.fix = ""
		}
		since := ""
		if w.ver > 0 {
			since = fmt.Sprintf("%d.%d", w.epoch, w.ver)
		}
		conn, _, err := dialer().DialContext(ctx, live(w.nodes[rand.N(len(w.nodes))], token, since), nil)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		finished, err := w.follow(conn, 1+rand.N(40))
		stop()
		_ = conn.Close()
		if err != nil || finished {
			return err
		}
	}
}

func (w *watcher) follow(conn *websocket.Conn, frames int) (finished bool, err error) {
	for i := range frames {
		var f frame
		if err := conn.ReadJSON(&f); err != nil {
			return false, err
		}
		if f.Type == "bye" {
			if f.Code != "finished" || w.ver != int64(len(journey))+2 {
				return false, fmt.Errorf("bye %q at ver %d", f.Code, w.ver)
			}
			_, _, err := conn.ReadMessage()
			if !websocket.IsCloseError(err, 4001) {
				return false, fmt.Errorf("after bye came %v", err)
			}
			return true, nil
		}
		if err := w.take(f, i == 0); err != nil {
			return false, fmt.Errorf("frame %d: %w: %+v", i, err, f)
		}
	}
	return false, nil
}

// This is the promise that everything else hangs on: a viewer gets a snapshot, then every later status exactly once and in order, however often it
// leaves and wherever it comes back.
func TestCustomers_Live_no_gap_and_no_repeat(t *testing.T) {
	t.Parallel()
	t.Run("on one node", func(t *testing.T) {
		t.Parallel()
		noGapNoRepeat(t, 1, false)
	})
	t.Run("across nodes", func(t *testing.T) {
		t.Parallel()
		noGapNoRepeat(t, 3, false)
	})
	t.Run("across nodes whose Pub/Sub connections are cut again and again", func(t *testing.T) {
		t.Parallel()
		noGapNoRepeat(t, 2, true)
	})
}

func noGapNoRepeat(t *testing.T, count int, cut bool) {
	const viewers = 50
	s := newShop(t)
	nodes := make([]*node, count)
	for i := range nodes {
		nodes[i] = s.node(gateway.Config{})
	}
	phone := s.hire("Sam")
	record := s.deliver(phone)
	token := s.token(record)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	defer time.AfterFunc(3*patience, func() { cancel(errors.New("it takes too long")) }).Stop()

	watchers := make([]watcher, viewers)
	var watching, working sync.WaitGroup
	for i := range watchers {
		watching.Go(func() {
			watchers[i].nodes = nodes
			if err := watchers[i].watch(ctx, token); err != nil {
				cancel(fmt.Errorf("viewer %d: %w", i, err)) // the first one tells; the others only follow
			}
		})
	}
	working.Go(func() {
		for at := time.Now().Add(-time.Minute); ctx.Err() == nil; at = at.Add(10 * time.Millisecond) {
			// Late ones, too: they must not move the marker.
			late := at.Add(-time.Duration(rand.N(50)) * time.Millisecond)
			for _, at := range []time.Time{at, late} {
				_, err := s.ingest.Take(ctx, phone, tracking.PositionReport{
					Points: []tracking.Point{{Position: tracking.Position{RecordedAt: at.UTC().Truncate(time.Millisecond), Lat: 37.78, Lon: -122.41}}},
				})
				if err != nil && ctx.Err() == nil {
					t.Errorf("reporting a position: %v", err)
					return
				}
			}
		}
	})
	if cut {
		working.Go(func() {
			for tick := time.NewTicker(300 * time.Millisecond); ctx.Err() == nil; {
				select {
				case <-ctx.Done():
				case <-tick.C:
					_ = s.client.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub").Err()
				}
			}
		})
	}
	for _, status := range journey {
		record = s.report(phone, record, status)
	}
	watching.Wait()
	if ctx.Err() != nil {
		t.Fatal(context.Cause(ctx))
	}
	cancel(nil)
	working.Wait()
	seen := slices.MaxFunc(watchers, func(a, b watcher) int { return a.positions - b.positions })
	if seen.positions == 0 {
		t.Error("nobody saw a single position")
	}
}

func TestCustomers_Live(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	t.Run("shows everything, then what happens", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone)
		v := dial(t, live(n, s.token(r), ""))
		first, _ := v.ofType("snapshot", 0)
		if first.Ver != 2 || first.Status != "assigned" || *first.Visible || *first.Why != "not_yet" || !*first.Live || len(first.Events) != 2 {
			t.Errorf("the snapshot says %s", first.raw)
		}
		if protocol := v.conn.Subprotocol(); protocol != "hotfoot.v1" {
			t.Errorf("the subprotocol is %q", protocol)
		}
		s.report(phone, r, tracking.PickedUp)
		v.ver(3)
		s.report(phone, r, tracking.EnRoute)
		status, at := v.ver(4)
		view, at := v.ofType("view", at)
		if status.Type != "status" || status.Status != "en_route" || !*view.Visible || view.SV != 4 || view.Courier.Name != "Sam" {
			t.Errorf("after en_route came %s and %s", status.raw, view.raw)
		}
		s.move(phone, 37.7825, -122.41)
		if p, _ := v.ofType("position", at); p.SV != 4 {
			t.Errorf("the position says %s", p.raw)
		}
		late := n.watch(t, r)
		if snapshot, _ := late.ofType("snapshot", 0); snapshot.Position == nil || snapshot.Position.Lat != 37.7825 || len(snapshot.Events) != 4 {
			t.Errorf("who comes later sees %s", snapshot.raw)
		}
	})
	t.Run("tells who comes back only what they do not know", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		for since, want := range map[string]int{
			"1.2": 2, "1.4": 0, "1.0": 4,
			"": 4, "7.2": 4, "1.99": 4, "1": 4, "1.-2": 4, "0.2": 4, "x.y": 4, "1.2.3": 4, "1.99999999999999999999": 4,
		} {
			v := dial(t, live(n, s.token(r), since))
			if snapshot, _ := v.ofType("snapshot", 0); snapshot.Ver != 4 || len(snapshot.Events) != want {
				t.Errorf("since %q: %d events, want %d", since, len(snapshot.Events), want)
			}
		}
	})
	t.Run("does not open for a token that opens nothing", func(t *testing.T) {
		t.Parallel()
		for _, token := range []string{"x", s.linker.Token(tracking.NewID(), 0)} {
			if response := refused(t, live(n, token, ""), nil); response.StatusCode != 404 {
				t.Errorf("%s: %d, want 404", token, response.StatusCode)
			}
		}
	})
	t.Run("says goodbye when the delivery has ended", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute, tracking.Arriving)
		v := n.watch(t, r)
		s.move(phone, 37.7825, -122.41)
		v.ofType("position", 0)
		s.report(phone, r, tracking.Delivered)
		_, at := v.ver(6)
		view, at := v.ofType("view", at)
		bye, _ := v.ofType("bye", at)
		if code := v.closed(); code != 4001 || bye.Code != "finished" || *view.Why != "finished" || view.Position != nil {
			t.Errorf("it ended with %d, %s and %s", code, view.raw, bye.raw)
		}
		again := dial(t, live(n, s.token(r), "1.5"))
		snapshot, at := again.ofType("snapshot", 0)
		again.ofType("bye", at)
		if code := again.closed(); code != 4001 || snapshot.Status != "delivered" || snapshot.Position != nil || len(snapshot.Events) != 1 {
			t.Errorf("who comes afterwards gets %d and %s", code, snapshot.raw)
		}
	})
	t.Run("sends away whose link was revoked, and nobody else", func(t *testing.T) {
		t.Parallel()
		r := s.deliver(s.hire("Sam"))
		old := dial(t, live(n, s.token(r), ""))
		old.ofType("snapshot", 0)
		renewed, err := s.dispatch.RevokeLink(t.Context(), s.boss, r.Delivery.ID)
		s.must(err)
		if code := old.closed(); code != 4003 || old.last().Code != "revoked" {
			t.Errorf("closed with %d after %s", code, old.last().raw)
		}
		if response := refused(t, live(n, s.token(r), ""), nil); response.StatusCode != 404 {
			t.Errorf("the old link answers %d, want 404", response.StatusCode)
		}
		fresh := dial(t, live(n, s.token(renewed), ""))
		fresh.ofType("snapshot", 0)
	})
	t.Run("never moves the marker back", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		v := n.watch(t, r)
		now := time.Now()
		for _, age := range []time.Duration{40, 60, 39, 90, 40, 38} {
			s.moveAt(phone, 37.7825, -122.41, now.Add(-age*time.Second))
		}
		s.report(phone, r, tracking.Arriving)
		v.ver(5)
		s.move(phone, 37.7826, -122.41)
		v.frame("the last fix", 0, func(f frame) bool { return f.Type == "position" && f.SV == 5 })
		before := ""
		for _, text := range v.heard() {
			f := decode(t, text)
			if f.Type == "position" {
				if f.RecordedAt <= before {
					t.Errorf("%s came after %s", f.RecordedAt, before)
				}
				before = f.RecordedAt
			}
		}
	})
	t.Run("shows at once where a courier is whom another customer watches already", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		one, other := s.deliver(phone, tracking.PickedUp, tracking.EnRoute), s.deliver(phone, tracking.PickedUp)
		s.move(phone, 37.7825, -122.41)
		n.watch(t, one)
		v := n.watch(t, other)
		s.report(phone, other, tracking.EnRoute)
		// The courier stands still: no fix will come to show where.
		v.frame("the courier's place", 0, func(f frame) bool { return f.Type == "position" || f.Position != nil })
	})
	t.Run("says every five seconds that nothing happened", func(t *testing.T) {
		t.Parallel()
		v := n.watch(t, s.deliver(s.hire("Sam")))
		n.advance(5 * time.Second)
		if tick, _ := v.ofType("tick", 0); tick.SV != 2 || !*tick.Live {
			t.Errorf("the tick says %s", tick.raw)
		}
	})
}

// Whatever was announced while a node heard nothing is read again as soon as it hears again, and viewers are told what they may rely on.
func TestCustomers_Live_after_a_cut(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	phone := s.hire("Sam")
	r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	s.move(phone, 37.78, -122.41)
	v := n.watch(t, r)
	n.still() // nobody looks at the revisions every five seconds
	at := 0
	for turn := range 4 {
		must(t, s.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
		r = s.report(phone, r, []tracking.Status{tracking.Arriving, tracking.EnRoute}[turn%2])
		s.move(phone, 37.781+float64(turn)/1000, -122.41)
		_, at = v.frame("to hear that it is not live", at, func(f frame) bool { return f.Type == "tick" && !*f.Live })
		v.ver(r.Delivery.Ver)
		_, at = v.frame("to hear that it is live", at, func(f frame) bool { return f.Type == "tick" && *f.Live })
		v.frame("the newest place", 0, func(f frame) bool { return strings.Contains(f.raw, fmt.Sprintf(`"lat":37.78%d,`, turn+1)) })
	}
	w := watcher{}
	for i, text := range v.heard() {
		if err := w.take(decode(t, text), i == 0); err != nil {
			t.Errorf("frame %d: %v", i, err)
		}
	}
}

// A customer sees the courier only on the way to their own door, at most visible_stops (two) stops away.
func TestCustomers_Live_privacy(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	hidden := func(t *testing.T, v *socket, from, to int) {
		t.Helper()
		for _, text := range v.heard()[from:to] {
			if f := decode(t, text); f.Type == "position" || f.Position != nil {
				t.Errorf("a hidden courier's place was sent: %s", f.raw)
			}
		}
	}
	visible := func(want bool) func(frame) bool {
		return func(f frame) bool { return f.Type == "view" && *f.Visible == want }
	}
	t.Run("hides a courier who has others to visit first", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		near := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		s.deliver(phone)
		between := s.deliver(phone)
		far := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		neighbour, v := dial(t, live(n, s.token(near), "")), dial(t, live(n, s.token(far), ""))
		neighbour.ofType("snapshot", 0)
		snapshot, _ := v.ofType("snapshot", 0)
		if *snapshot.Visible || *snapshot.Why != "not_yet" || *snapshot.StopsBefore != 3 {
			t.Errorf("with three stops before: %s", snapshot.raw)
		}
		s.move(phone, 37.7801, -122.41)
		_, seen := neighbour.ofType("position", 0)

		_, err := s.dispatch.Cancel(t.Context(), s.boss, between.Delivery.ID, "changed their mind")
		s.must(err)
		view, at := v.frame("to be shown", 0, visible(true))
		hidden(t, v, 0, at-1)
		if *view.StopsBefore != 2 {
			t.Errorf("shown with %s", view.raw)
		}
		v.frame("where the courier is", at-1, func(f frame) bool { return f.Type == "position" || f.Position != nil })

		first := 0
		added := s.deliver(tracking.Actor{})
		_, err = s.dispatch.Assign(t.Context(), s.boss, added.Delivery.ID, phone.CourierID, &first)
		s.must(err)
		_, at = v.frame("to be hidden", at, visible(false))
		s.move(phone, 37.7802, -122.41)
		neighbour.ofType("position", seen)
		s.report(phone, far, tracking.Arriving)
		_, end := v.ver(far.Delivery.Ver + 1)
		hidden(t, v, at, end)
	})
	t.Run("hides a courier who goes off duty, and forgets where they were", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		v := n.watch(t, r)
		s.move(phone, 37.7801, -122.41)
		_, at := v.ofType("position", 0)
		s.shift(phone, false)
		view, at := v.frame("to be hidden", at, visible(false))
		if *view.Why != "off" || view.Position != nil {
			t.Errorf("off duty: %s", view.raw)
		}
		s.shift(phone, true)
		_, back := v.frame("to be shown", at, visible(true))
		hidden(t, v, at, back)
		s.move(phone, 37.7802, -122.41)
		v.ofType("position", back)
	})
	t.Run("hides a courier once the delivery has failed, until the second try", func(t *testing.T) {
		t.Parallel()
		phone := s.hire("Sam")
		r := s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
		v := n.watch(t, r)
		s.move(phone, 37.7801, -122.41)
		_, at := v.ofType("position", 0)
		s.report(phone, r, tracking.Failed)
		_, at = v.frame("to be hidden", at, visible(false))
		s.move(phone, 37.7802, -122.41)
		s.report(phone, r, tracking.EnRoute)
		_, again := v.ver(6)
		hidden(t, v, at, again)
		v.frame("where the courier went meanwhile", again, func(f frame) bool {
			return f.RecordedAt != "" || f.Position != nil && f.Position.Lat == 37.7802
		})
	})
}
