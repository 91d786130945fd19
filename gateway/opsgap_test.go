package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// timed notes when a fleet is read.
type timed struct {
	truth
	mu    sync.Mutex
	reads []time.Time
}

func (r *timed) Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error) {
	r.mu.Lock()
	r.reads = append(r.reads, time.Now())
	r.mu.Unlock()
	return r.truth.Active(ctx, merchant, limit)
}

// toldOf are the events of one delivery that a map was told, in order.
func (b *board) toldOf(delivery tracking.ID) (vers []int64) {
	for _, text := range b.heard() {
		for _, e := range decodeOps(b.t, text).Events {
			if e.DeliveryID == delivery {
				vers = append(vers, e.Ver)
			}
		}
	}
	return vers
}

func (b *board) awaitEvents(what string, delivery tracking.ID, want ...int64) {
	b.t.Helper()
	b.until(what, func() bool { return len(b.toldOf(delivery)) >= len(want) })
	if got := b.toldOf(delivery); !slices.Equal(got, want) {
		b.t.Errorf("%s: the events are %v, want %v", what, got, want)
	}
}

// A map whose node hears nothing is read again and again, but not too often, and is told so. Of what happened unheard it is told everything, once.
func TestOps_Live_without_Redis(t *testing.T) {
	t.Parallel()
	const reload = 2 * time.Second
	dir := storetest.Dir(t)
	server := startRedis(t, dir)
	s := newShopOver(t, server.URL())
	staff := &timed{truth: s.truth}
	n := s.nodeOver(nodeParts{staff: staff, config: gateway.Config{}.Hasty(gateway.Hasty{Reload: reload})})
	sam, kim := s.hire("Sam"), s.hire("Kim")
	going, ending := s.deliver(sam, tracking.PickedUp), s.deliver(kim, tracking.PickedUp, tracking.EnRoute, tracking.Arriving)
	s.move(sam, 37.7801, -122.41)
	b := n.board(t)
	if f := b.look(wide, 13, ""); f.Live != nil {
		t.Errorf("it begins with live %v", *f.Live)
	}
	says := func(live string) func(string) bool {
		return func(text string) bool { return strings.Contains(text, `"live":`+live) }
	}
	server.Kill()
	_, at := b.await("to hear that it is not live", 0, says("false"))
	going = s.report(sam, s.report(sam, going, tracking.EnRoute), tracking.Arriving)
	s.report(kim, ending, tracking.Delivered)
	fresh := s.deliver(kim)
	s.tread(sam, 37.7802)
	b.awaitEvents("what happened to one on its way", going.Delivery.ID, 4, 5)
	b.awaitEvents("how one ended", ending.Delivery.ID, 6)
	b.awaitEvents("a new one", fresh.Delivery.ID, 1, 2)
	b.await("where Sam went", 0, func(text string) bool { return strings.Contains(text, `"lat":37.7802,`) })
	startRedis(t, dir)
	b.await("to hear that it is live", at, says("true"))
	going = s.report(sam, going, tracking.EnRoute)
	b.awaitEvents("what happens then", going.Delivery.ID, 4, 5, 6)
	b.awaitEvents("how one ended, once", ending.Delivery.ID, 6)
	staff.mu.Lock()
	defer staff.mu.Unlock()
	for i := range staff.reads[1:] {
		if pause := staff.reads[i+1].Sub(staff.reads[i]); pause < reload {
			t.Errorf("the fleet was read %v after it was read", pause)
		}
	}
}

// An end that is announced again, as the relay does when it cannot know whether it was heard, is no news.
func TestOps_Live_tells_an_end_once(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	sam := s.hire("Sam")
	b := n.board(t)
	b.look(wide, 13, "")
	r := s.deliver(sam, tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.Delivered)
	for range 3 {
		must(t, s.hot.Announce(t.Context(), r))
	}
	other := s.deliver(sam)
	b.until("what came after", func() bool { return len(b.toldOf(other.Delivery.ID)) > 0 })
	if got, want := b.toldOf(r.Delivery.ID), []int64{2, 3, 4, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("the events are %v, want %v", got, want)
	}
}

func TestOps_Live_says_that_nothing_happened(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	for name, window := range map[string]string{"with a window": wide, "without": ""} {
		t.Run(name, func(t *testing.T) {
			b := n.board(t)
			if window != "" {
				b.look(window, 13, "")
			}
			n.advance(5 * time.Second)
			text, _ := b.await("a tick", 0, func(text string) bool { return decodeOps(t, text).Type == "tick" })
			if f := decodeOps(t, text); f.Live == nil || !*f.Live || strings.Contains(text, `"sv"`) {
				t.Errorf("the tick says %s", text)
			}
		})
	}
}

// However many there are, a frame stays one that a browser takes: the rest comes with the next.
func TestOps_Live_tells_much_in_pieces(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	b := n.board(t)
	b.look(wide, 13, "")
	const count = 1200
	records := make([]tracking.Record, count)
	for i := range records {
		records[i] = tracking.Record{
			Epoch: 1, Merchant: tracking.Merchant{ID: s.merchant},
			Delivery: tracking.Delivery{ID: tracking.NewID(), MerchantID: s.merchant, Status: tracking.Created, Ver: 1, Rev: 1},
			Events:   []tracking.Event{{Ver: 1, Status: tracking.Created, At: time.Now()}},
		}
	}
	must(t, s.hot.Announce(t.Context(), records...))
	told, most := map[tracking.ID]int{}, 0
	from := 0
	for len(told) < count {
		_, from = b.await(fmt.Sprintf("more than %d events", len(told)), from, func(text string) bool {
			f := decodeOps(t, text)
			most = max(most, len(f.Events))
			for _, e := range f.Events {
				told[e.DeliveryID]++
			}
			return len(f.Events) > 0
		})
	}
	if most > 500 {
		t.Errorf("one frame has %d events", most)
	}
	for id, times := range told {
		if times != 1 {
			t.Errorf("%s was told %d times", id, times)
		}
	}
}
