package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// mute announces nothing.
type mute struct{}

func (mute) Announce(context.Context, ...tracking.Record) error  { return nil }
func (mute) KeepCourier(context.Context, tracking.Courier) error { return nil }

// The route is read from Postgres, and what became of a stop from Redis, where it may not have arrived yet.
func TestCouriers_Live_route_read_a_moment_too_early(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	n := s.node(gateway.Config{})
	sam, kim := s.hire("Sam"), s.hire("Kim")
	silent := tracking.NewRelay(s.truth, mute{}, tracking.RelayConfig{}, s.log)
	dispatch := tracking.NewDispatch(s.truth, silent, time.Now)
	for kind, change := range map[string]func(tracking.ID) error{
		"cancelled": func(id tracking.ID) error { _, err := dispatch.Cancel(t.Context(), s.boss, id, "no more"); return err },
		"unassigned": func(id tracking.ID) error {
			_, err := dispatch.Assign(t.Context(), s.boss, id, kim.CourierID, nil)
			return err
		},
	} {
		r := s.deliver(sam)
		v := dial(t, url(n, "/courier/"+sam.CourierID.String()))
		_, at := v.await("the route", 0, func(text string) bool { return strings.Contains(text, r.Delivery.ID.String()) })
		must(t, change(r.Delivery.ID))
		must(t, s.client.Publish(t.Context(), key.Jobs(sam.CourierID), "").Err())
		_, at = v.await("the route without it", at, func(text string) bool {
			return strings.Contains(text, `"route"`) && !strings.Contains(text, r.Delivery.ID.String())
		})
		for _, text := range v.heard() {
			if strings.Contains(text, `"delivery_id"`) {
				t.Errorf("%s: too early it says %s", kind, text)
			}
		}
		now, err := s.truth.Record(t.Context(), r.Delivery.ID)
		must(t, err)
		must(t, s.hot.Announce(t.Context(), now))
		_, at = v.await("what became of it", at, func(text string) bool {
			return strings.Contains(text, fmt.Sprintf(`{"type":%q,"delivery_id":%q`, kind, r.Delivery.ID))
		})
		v.await("the route again", at, func(text string) bool { return strings.Contains(text, `"route"`) })
		v.close()
	}
}
