package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// order is a delivery that the fleet's merchant made.
type order struct {
	ref  DeliveryRef
	shop Place
	door Place
}

func (o order) stop() Stop { return Stop{Delivery: o.ref.ID, Door: o.door} }

// board holds the orders that no courier has yet: a live city always has some.
type board struct {
	mu      sync.Mutex
	number  int
	waiting []posted
}

type posted struct {
	order
	at time.Time
}

// linger is how long, in simulated time, an order hangs on the board at least.
const linger = 45 * time.Second

// boardSize is how many orders hang on the board for so many couriers.
func boardSize(couriers int) int { return 1 + couriers/40 }

// take removes and returns the oldest order that has lingered.
func (b *board) take(now time.Time, lingered time.Duration) (order, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 || now.Sub(b.waiting[0].at) < lingered {
		return order{}, false
	}
	o := b.waiting[0].order
	b.waiting = append(b.waiting[:0], b.waiting[1:]...)
	return o, true
}

func (b *board) post(o order, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, posted{o, now})
}

func (b *board) next() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number++
	return b.number
}

// makeOrder creates a delivery from shop to a random door, for the courier or, with an empty id, for nobody yet.
func (f *Fleet) makeOrder(ctx context.Context, rng *rand.Rand, shop Place, courierID string, before time.Duration) (order, error) {
	o := order{shop: shop, door: f.city.RandomDropoff(rng, shop)}
	number := f.board.next()
	name := randomName(rng)
	in := client.NewDelivery{
		ExternalID:     fmt.Sprintf("%s-%d", f.id, 1000+number),
		Pickup:         client.Place{Lat: shop.Lat, Lon: shop.Lon, Address: shop.Address, Name: shop.Name},
		Dropoff:        client.Place{Lat: o.door.Lat, Lon: o.door.Lon, Address: o.door.Address},
		Recipient:      &client.Recipient{Name: name, Phone: randomPhone(rng)},
		Window:         f.window(rng, shop, o.door, before),
		CourierID:      courierID,
		Note:           randomNote(rng),
		IdempotencyKey: fmt.Sprintf("fleet-%s-%d", f.id, number),
	}
	d, err := f.merchant.CreateDelivery(ctx, in)
	o.ref = DeliveryRef{ID: d.ID, TrackingToken: d.TrackingToken, TrackingURL: d.TrackingURL}
	return o, err
}

// window promises a time as shops do: the way and everything before it, some slack, full five minutes. One promise in
// twelve leaves no slack, so that something is late now and then.
func (f *Fleet) window(rng *rand.Rand, shop, door Place, before time.Duration) *client.Window {
	way := 10 * time.Minute
	if r, ok := f.city.Route(shop, door); ok {
		way = time.Duration(r.Seconds * float64(time.Second))
	}
	slack := 15 * time.Minute
	if rng.IntN(12) == 0 {
		slack = 0
	}
	need := time.Duration(float64(before+way+slack) / f.cfg.Speed)
	to := time.Now().Add(need).Truncate(5 * time.Minute).Add(5 * time.Minute)
	return &client.Window{From: to.Add(-30 * time.Minute).UTC(), To: to.UTC()}
}
