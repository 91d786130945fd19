package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/client"
)

// Pair is a courier and the socket of their customer.
type Pair struct {
	Courier *client.Client
	token   string
	socket  *websocket.Conn
	arrived chan time.Time // when a position with the awaited latitude was read
	mu      sync.Mutex
	awaited int64 // its latitude in millionths of a degree, as frames round it
}

// Stage makes couriers on duty, each with one delivery underway, through the public API.
func Stage(ctx context.Context, api string, key string, n int) ([]*Pair, error) {
	merchant := client.New(api, key)
	pairs := make([]*Pair, n)
	for i := range pairs {
		courier, err := merchant.CreateCourier(ctx, client.NewCourier{Name: fmt.Sprintf("Courier %d", i+1), Vehicle: "bike"})
		if err != nil {
			return nil, err
		}
		phone := merchant.WithKey(courier.Token)
		if err := phone.SetShift(ctx, true); err != nil {
			return nil, err
		}
		delivery, err := merchant.CreateDelivery(ctx, client.NewDelivery{
			Pickup: client.Place{Lat: 37.7812, Lon: -122.4112}, Dropoff: client.Place{Lat: 37.7893, Lon: -122.401}, CourierID: courier.ID,
		})
		if err != nil {
			return nil, err
		}
		for k, status := range []string{"picked_up", "en_route"} {
			if _, err := phone.PostStatus(ctx, delivery.ID, client.StatusChange{Status: status, ClientEventID: fmt.Sprintf("%d", k)}); err != nil {
				return nil, err
			}
		}
		pairs[i] = &Pair{Courier: phone, token: delivery.TrackingToken, arrived: make(chan time.Time, 1)}
	}
	return pairs, nil
}

// Watch opens every pair's socket on a gateway; reading ends when ctx does.
func Watch(ctx context.Context, gateway string, pairs []*Pair, reading *sync.WaitGroup) error {
	dialer := websocket.Dialer{Subprotocols: []string{"hotfoot.v1"}, HandshakeTimeout: 10 * time.Second}
	for _, p := range pairs {
		socket, _, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(gateway, "http")+"/v1/track/"+p.token+"/live", http.Header{})
		if err != nil {
			return err
		}
		p.socket = socket
		context.AfterFunc(ctx, func() { _ = socket.Close() })
		reading.Go(p.read)
	}
	return nil
}

func (p *Pair) read() {
	for {
		_, text, err := p.socket.ReadMessage()
		now := time.Now()
		if err != nil {
			return
		}
		var f struct {
			Type string
			Lat  float64
		}
		if json.Unmarshal(text, &f) != nil || f.Type != "position" {
			continue
		}
		p.mu.Lock()
		hit := int64(math.Round(f.Lat*1e6)) == p.awaited
		p.mu.Unlock()
		if hit {
			select {
			case p.arrived <- now:
			default: // nobody waits: the bench is doing something else
			}
		}
	}
}

// post sends one position and answers how long after due it was on the socket.
func (p *Pair) post(ctx context.Context, due time.Time, n int) (time.Duration, error) {
	millionths := int64(37_780_000 + n%10_000)
	p.mu.Lock()
	p.awaited = millionths
	p.mu.Unlock()
	if _, err := p.Courier.PostPositions(ctx, "", []client.Position{{RecordedAt: time.Now(), Lat: float64(millionths) / 1e6, Lon: -122.41}}, 0); err != nil {
		return 0, err
	}
	select {
	case at := <-p.arrived:
		return at.Sub(due), nil
	case <-time.After(5 * time.Second):
		return 0, fmt.Errorf("position %d did not reach its socket", n)
	}
}

// Latency measures POST to socket at a fixed rate for a while, one position after another, spread over the pairs.
func Latency(ctx context.Context, pairs []*Pair, perSecond, count int) (Quantiles, error) {
	samples := make([]time.Duration, count)
	errs := make([]error, len(pairs))
	began := time.Now()
	var wait sync.WaitGroup
	for k, p := range pairs {
		wait.Go(func() {
			for i := k; i < count && errs[k] == nil; i += len(pairs) {
				due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				if !sleepUntil(ctx, due) {
					errs[k] = ctx.Err()
					return
				}
				samples[i], errs[k] = p.post(ctx, due, i+1)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return Quantiles{}, err
		}
	}
	return quantiles(samples), nil
}

// Bare measures PUBLISH to SUBSCRIBE of a message of the same size on the same Redis, at the same rate: what no product over it can go under.
func Bare(ctx context.Context, redisURL string, perSecond, count int) (Quantiles, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return Quantiles{}, err
	}
	rdb := redis.NewClient(options)
	defer rdb.Close()
	subscription := rdb.Subscribe(ctx, "bench")
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil {
		return Quantiles{}, err
	}
	payload := strings.Repeat("x", 165)
	samples := make([]time.Duration, count)
	began := time.Now()
	for i := range samples {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		if !sleepUntil(ctx, due) {
			return Quantiles{}, ctx.Err()
		}
		if err := rdb.Publish(ctx, "bench", payload).Err(); err != nil {
			return Quantiles{}, err
		}
		if _, err := subscription.ReceiveMessage(ctx); err != nil {
			return Quantiles{}, err
		}
		samples[i] = time.Since(due)
	}
	return quantiles(samples), nil
}

func sleepUntil(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
