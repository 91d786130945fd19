package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// dispatcher decides about deliveries of their own now and then: creates, assigns, takes back, cancels, reorders. Those that riders have under
// way are touched only by what a new first stop does to the stops behind it.
type dispatcher struct {
	key      string
	call     *caller
	log      *oracle.Log
	random   *rand.Rand
	couriers []courier
	every    time.Duration

	jobs    []job
	created int
}

// job is a delivery as the dispatcher knows it.
type job struct {
	id      string
	status  string
	courier int
}

// maxJobs keeps routes short enough that customers see their couriers most of the time.
const maxJobs = 8

func (d *dispatcher) run(ctx context.Context, enough <-chan struct{}) {
	for {
		pause(ctx, jitter(d.random, d.every/2, d.every*3/2), enough)
		if over(enough) || ctx.Err() != nil {
			return
		}
		if len(d.jobs) == 0 || len(d.jobs) < maxJobs && d.random.IntN(4) == 0 {
			d.create(ctx)
			continue
		}
		at, done := d.random.IntN(len(d.jobs)), false
		switch j := &d.jobs[at]; {
		case j.status == "created" && d.random.IntN(4) == 0, j.status == "assigned" && len(d.jobs) >= maxJobs:
			done = d.decide(ctx, j, "cancel", map[string]any{"reason": "out of olives"})
		case j.status == "created":
			j.courier = d.random.IntN(len(d.couriers))
			done = d.decide(ctx, j, "assign", map[string]any{"courier_id": d.couriers[j.courier].id})
		case d.random.IntN(2) == 0:
			done = d.decide(ctx, j, "unassign", map[string]any{})
		default:
			d.reorder(ctx, j)
		}
		if done {
			d.jobs = slices.Delete(d.jobs, at, at+1)
		}
	}
}

// create makes a delivery; the Idempotency-Key makes a second attempt safe.
func (d *dispatcher) create(ctx context.Context) {
	d.created++
	a := d.call.until(ctx, d.random, request{
		kind: oracle.Dispatch, who: "dispatcher", key: d.key, method: http.MethodPost, path: "/v1/deliveries", body: draft(d.random, ""),
		header: http.Header{"Idempotency-Key": {fmt.Sprintf("dispatcher-%d", d.created)}},
	})
	var made delivered
	if a.ok() && a.decode(&made) {
		d.jobs = append(d.jobs, job{id: made.ID, status: made.Status})
		d.ack(made)
	}
}

// decide asks for one move. A second attempt of one that had worked is refused as illegal; then the delivery itself tells where it stands.
// It answers true when nothing is left to decide: it was cancelled, or a failover has lost it.
func (d *dispatcher) decide(ctx context.Context, j *job, verb string, body map[string]any) bool {
	a := d.call.until(ctx, d.random, request{
		kind: oracle.Dispatch, who: "dispatcher", key: d.key, method: http.MethodPost, path: "/v1/deliveries/" + j.id + "/" + verb, body: body,
	})
	if a.code == http.StatusConflict {
		a = d.call.until(ctx, d.random, request{
			kind: oracle.Dispatch, who: "dispatcher", key: d.key, method: http.MethodGet, path: "/v1/deliveries/" + j.id,
		})
	}
	var made delivered
	if !a.ok() || !a.decode(&made) {
		return a.code == http.StatusNotFound
	}
	j.status = made.Status
	d.ack(made)
	return made.Status == "cancelled"
}

// reorder puts the delivery first on its courier's route.
func (d *dispatcher) reorder(ctx context.Context, j *job) {
	d.call.until(ctx, d.random, request{
		kind: oracle.Dispatch, who: "dispatcher", key: d.key, method: http.MethodPut, path: "/v1/couriers/" + d.couriers[j.courier].id + "/route",
		body: map[string]any{"delivery_ids": []string{j.id}},
	})
}

func (d *dispatcher) ack(made delivered) {
	d.log.Acked(oracle.Ack{Delivery: made.ID, Who: "dispatcher", Ver: made.Ver, Status: made.Status, At: time.Now()})
}
