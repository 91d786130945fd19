package gateway_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// The pages are tested against these frames; here they are held against what the server really sends. Keys that may be left out are in optional.
func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	sam := s.hire("Sam")
	hidden := n.watch(t, s.deliver(tracking.Actor{}))

	r, err := s.dispatch.Create(t.Context(), s.boss, tracking.Draft{
		Pickup: tracking.Place{Lat: 37.78, Lon: -122.41, Address: "1 Grove Street", Name: "Corner Kitchen"}, Dropoff: tracking.Place{Lat: 37.79, Lon: -122.40, Address: "1 Main Street", Name: "Noor"},
		Recipient: tracking.Recipient{Name: "Noor", Phone: "+1"}, Note: "ring twice", ExternalID: "order-1042", CourierID: sam.CourierID,
		Window: tracking.Window{From: time.Now(), To: time.Now().Add(-time.Second + time.Minute)},
	}, tracking.Once{})
	must(t, err)
	board, phone := n.board(t), dial(t, url(n, "/courier/"+sam.CourierID.String()))
	board.look(wide, 13, "")
	route, _ := phone.await("a route", 0, func(text string) bool { return strings.Contains(text, r.Delivery.ID.String()) })
	r = s.report(sam, s.report(sam, r, tracking.PickedUp), tracking.EnRoute)
	all := tracking.Position{Lat: 37.78, Lon: -122.41, AccuracyM: tracking.Read(6), SpeedMPS: tracking.Read(5.9), HeadingDeg: tracking.Read(44.5), Battery: tracking.Read(0.71)}
	move := func() {
		p := all
		p.RecordedAt = time.Now().UTC().Truncate(time.Millisecond)
		_, err := s.ingest.Take(t.Context(), sam, tracking.PositionReport{Points: []tracking.Point{{Position: p}}})
		must(t, err)
	}
	move()
	v := n.watch(t, r)
	move()
	position, _ := v.ofType("position", 0)
	here := len(v.heard())
	first, before := 0, s.deliver(tracking.Actor{})
	_, err = s.dispatch.Assign(t.Context(), s.boss, before.Delivery.ID, sam.CourierID, &first)
	must(t, err)
	s.set(t, func(m *tracking.Merchant) { m.RoundingM = 300 })
	_, here = v.frame("a rounded place", here, func(f frame) bool { return f.Type == "view" && strings.Contains(f.raw, "rounded_m") })
	move()
	rounded, _ := v.ofType("position", here)
	_, err = s.dispatch.Cancel(t.Context(), s.boss, before.Delivery.ID, "changed their mind")
	must(t, err)
	failing := s.report(sam, r, tracking.Failed)
	failed, _ := v.ver(failing.Delivery.Ver)
	view, _ := v.ofType("view", 0)
	s.report(sam, failing, tracking.EnRoute)
	arriving := s.report(sam, failing, tracking.Arriving)
	status, _ := v.ver(arriving.Delivery.Ver)
	n.advance(5 * time.Minute)
	tick, _ := v.ofType("tick", 0)
	reported, err := s.dispatch.Report(t.Context(), sam, r.Delivery.ID, tracking.Move{
		To: tracking.Delivered, ClientID: "x", Actor: sam, Proof: tracking.Proof{LeftAt: "front desk", Name: "N. Haddad"},
	})
	must(t, err)
	delivered, _ := v.ver(reported.Record.Delivery.Ver)
	bye, _ := v.ofType("bye", 0)

	said := map[string]string{
		"snapshot": decode(t, v.heard()[0]).raw, "snapshot-hidden": hidden.heard()[0], "position": position.raw, "position-rounded": rounded.raw, "status": status.raw,
		"status-failed": failed.raw, "status-delivered": delivered.raw, "view": view.raw, "tick": tick.raw, "bye": bye.raw, "route": route,
	}
	optional := map[string]bool{
		"reason": true, "proof": true, "retry_after_ms": true, "address": true, "name": true, "altitude_m": true, "battery": true,
		"accuracy_m": true, "speed_mps": true, "heading_deg": true,
		// A courier has no use for the customer's link, which a merchant is given.
		"tracking_token": true, "tracking_url": true,
	}
	folder := filepath.Join("..", "web", "test", "frames")
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	must(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		golden, err := os.ReadFile(file)
		must(t, err)
		switch name {
		case "ops-view": // the client's
			other := n.board(t)
			other.send("%s", golden)
			other.next("an answer", func(f opsFrame) bool { return f.Full })
			continue
		case "frame": // said in many pieces
			for _, text := range board.heard() {
				compare(t, name, golden, text, map[string]bool{
					"full": true, "clusters": true, "over": true, "name": true, "vehicle": true, "stops": true,
					"battery": true, "accuracy_m": true, "speed_mps": true, "heading_deg": true,
				})
			}
			continue
		}
		if said[name] == "" {
			t.Errorf("%s: the server was not made to say such a frame here", name)
			continue
		}
		compare(t, name, golden, said[name], optional)
	}
}

// compare holds the keys of two frames together, all the way down; where a list or an object is empty or null there is nothing to compare.
func compare(t *testing.T, name string, golden []byte, said string, optional map[string]bool) {
	t.Helper()
	var want, got any
	must(t, json.Unmarshal(golden, &want))
	must(t, json.Unmarshal([]byte(said), &got))
	var walk func(path string, want, got any)
	walk = func(path string, want, got any) {
		switch want := want.(type) {
		case map[string]any:
			got, ok := got.(map[string]any)
			if !ok {
				return
			}
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if _, there := got[key]; there {
					walk(path+"."+key, want[key], got[key])
				} else if !optional[key] {
					t.Errorf("%s: the server does not say %s.%s: %s", name, path, key, said)
				}
			}
			for key := range got {
				if _, there := want[key]; !there && !optional[key] {
					t.Errorf("%s: the pages have not seen %s.%s: %s", name, path, key, said)
				}
			}
		case []any:
			if got, ok := got.([]any); ok && len(want) > 0 {
				for _, item := range got {
					walk(path+"[]", want[0], item)
				}
			}
		case nil:
		default:
			if got != nil && jsonKind(want) != jsonKind(got) {
				t.Errorf("%s: %s is %v, want something like %v", name, path, got, want)
			}
		}
	}
	walk("", want, got)
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return "object"
}
