package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// rider takes one delivery from door to door, back and forth for as long as it is wanted, and reports each step until it is acknowledged.
type rider struct {
	delivery delivery
	call     *caller
	log      *oracle.Log
	random   *rand.Rand
	every    time.Duration // between two steps, about
	clock    clock         // nil for a phone that does not say when

	status   string
	steps    int
	refused  bool        // the newest step, since the delivery is elsewhere
	moving   atomic.Bool // the delivery is on its last stretch
	finished atomic.Bool
}

// run reports until it is enough, then ends the delivery; it returns earlier only when ctx ends.
func (r *rider) run(ctx context.Context, enough <-chan struct{}) {
	r.status = "assigned"
	for ctx.Err() == nil && !over(enough) {
		wait := jitter(r.random, r.every/2, r.every*3/2)
		if !r.moving.Load() {
			wait = jitter(r.random, 10*time.Millisecond, 60*time.Millisecond) // to the first door without delay
		}
		if !r.report(ctx, r.next()) && !r.catchUp(ctx) {
			return
		}
		pause(ctx, wait, enough)
	}
	r.finish(ctx)
}

func (r *rider) next() string {
	switch r.status {
	case "assigned":
		return "picked_up"
	case "en_route":
		return "arriving"
	}
	return "en_route" // picked up, or the recipient was not at this door
}

// finish brings the delivery to one of its ends.
func (r *rider) finish(ctx context.Context) {
	var left []string
	switch r.status {
	case "assigned":
		left = []string{"picked_up", "en_route", "arriving"}
	case "picked_up":
		left = []string{"en_route", "arriving"}
	case "en_route":
		left = []string{"arriving"}
	}
	switch r.random.IntN(10) {
	case 0:
		left = append(left, "failed")
	case 1:
		left = append(left, "failed", "returned")
	default:
		left = append(left, "delivered")
	}
	for _, status := range left {
		if !r.report(ctx, status) {
			return
		}
	}
	r.finished.Store(true)
}

// report tries one step, with one id and one body, until it is acknowledged.
func (r *rider) report(ctx context.Context, status string) bool {
	r.steps++
	id := fmt.Sprintf("step-%d", r.steps)
	body := map[string]any{"status": status, "client_event_id": id}
	if r.clock != nil {
		body["at"] = r.clock(time.Now(), r.random).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	a := r.call.until(ctx, r.random, request{
		kind: oracle.Statuses, who: r.delivery.courier.name, key: r.delivery.courier.token, method: http.MethodPost,
		path: "/v1/courier/deliveries/" + r.delivery.id + "/status", body: body,
	})
	var made struct {
		Status string
		Ver    int64
	}
	r.refused = a.code == http.StatusConflict
	if !a.ok() || !a.decode(&made) {
		return false // the log has it: a refusal of a step that was legal
	}
	r.log.Acked(oracle.Ack{Delivery: r.delivery.id, Who: r.delivery.courier.name, EventID: id, Ver: made.Ver, Status: status, At: time.Now()})
	r.status = status
	r.moving.Store(status == "en_route" || status == "arriving")
	return true
}

// catchUp asks how far the delivery is, after a step was refused because it is elsewhere: history may have been rewritten. The rider goes on
// from there.
func (r *rider) catchUp(ctx context.Context) bool {
	if !r.refused {
		return false
	}
	a := r.call.until(ctx, r.random, request{
		kind: oracle.Dispatch, who: r.delivery.courier.name, key: r.delivery.courier.token, method: http.MethodGet, path: "/v1/courier/deliveries",
	})
	var route struct{ Items []delivered }
	if !a.ok() || !a.decode(&route) {
		return false
	}
	for _, d := range route.Items {
		if d.ID == r.delivery.id {
			r.status = d.Status
			r.moving.Store(d.Status == "en_route" || d.Status == "arriving")
			return true
		}
	}
	return false
}
