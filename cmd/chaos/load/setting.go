package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"

	"golang.org/x/sync/errgroup"

	"hotfoot/cmd/chaos/oracle"
)

// courier is somebody on duty.
type courier struct{ id, name, token string }

// delivery is one that somebody watches.
type delivery struct {
	id, token string
	courier   courier // zero for one of the dispatcher's
}

// delivered is a delivery as the API answers it.
type delivered struct {
	ID     string
	Status string
	Ver    int64
	Token  string `json:"tracking_token"`
}

// draft is a new delivery somewhere in town.
func draft(random *rand.Rand, courierID string) map[string]any {
	place := func() map[string]any {
		return map[string]any{"lat": 37.75 + random.Float64()/20, "lon": -122.45 + random.Float64()/20, "address": "1 Main Street"}
	}
	body := map[string]any{"pickup": place(), "dropoff": place()}
	if courierID != "" {
		body["courier_id"] = courierID
	}
	return body
}

// setting is who and what there is when a row begins.
type setting struct {
	couriers   []courier
	deliveries []delivery // each with a courier
	loose      []delivery // without one: the dispatcher's
}

// looseDeliveries is how many the dispatcher starts with, each watched too.
const looseDeliveries = 4

// populate makes everybody through the API, a few at a time.
func populate(ctx context.Context, call *caller, key string, random *rand.Rand, couriers, deliveries int) (setting, error) {
	s := setting{couriers: make([]courier, couriers), deliveries: make([]delivery, deliveries), loose: make([]delivery, looseDeliveries)}
	ask := func(ctx context.Context, key, method, path string, body any, answer any) error {
		a := call.once(ctx, request{kind: oracle.Dispatch, who: "setting", key: key, method: method, path: path, body: body})
		if !a.ok() || answer != nil && !a.decode(answer) {
			return fmt.Errorf("%s %s: %d %s", method, path, a.code, a.body)
		}
		return nil
	}
	group, bounded := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range s.couriers {
		group.Go(func() error {
			c := &s.couriers[i]
			c.name = fmt.Sprintf("Courier %d", i)
			var made struct{ ID, Token string }
			if err := ask(bounded, key, http.MethodPost, "/v1/couriers", map[string]any{"name": c.name, "vehicle": "bike"}, &made); err != nil {
				return err
			}
			c.id, c.token = made.ID, made.Token
			return ask(bounded, c.token, http.MethodPut, "/v1/courier/shift", map[string]any{"on_duty": true}, nil)
		})
	}
	if err := group.Wait(); err != nil {
		return s, err
	}
	group, bounded = errgroup.WithContext(ctx)
	group.SetLimit(8)
	create := func(d *delivery, body map[string]any) {
		group.Go(func() error {
			var made delivered
			err := ask(bounded, key, http.MethodPost, "/v1/deliveries", body, &made)
			d.id, d.token = made.ID, made.Token
			return err
		})
	}
	for i := range s.deliveries {
		d := &s.deliveries[i]
		d.courier = s.couriers[i%couriers]
		create(d, draft(random, d.courier.id))
	}
	for i := range s.loose {
		create(&s.loose[i], draft(random, ""))
	}
	return s, group.Wait()
}
