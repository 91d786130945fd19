package gateway

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hotfoot/tracking"
)

const (
	roundSize    = 1000 // topics in one round
	readsAtOnce  = 16   // records that are read at the same time
	settledAlone = 100  // topics that are not worth another goroutine
	readLimit    = 3 * time.Second
)

// catchUp reads topics that may have missed something, in rounds: what becomes due while one round is read shares the next, so that a reconnect
// under five thousand topics costs a few round trips and not thousands.
type catchUp struct {
	hub *Hub

	mu      sync.Mutex
	due     map[*topic]struct{}
	reading bool
}

func newCatchUp(h *Hub) *catchUp { return &catchUp{hub: h, due: map[*topic]struct{}{}} }

// add has topics read soon.
func (c *catchUp) add(topics ...*topic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range topics {
		c.due[t] = struct{}{}
	}
	if !c.reading && len(c.due) > 0 {
		c.reading = c.hub.start(c.run)
	}
}

// busy reports whether a round is being read.
func (c *catchUp) busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reading
}

func (c *catchUp) run() {
	for round := c.next(); len(round) > 0; round = c.next() {
		c.hub.read(round)
	}
}

// next answers whose turn it is; with nobody due whoever was reading has stopped.
func (c *catchUp) next() []*topic {
	c.mu.Lock()
	defer c.mu.Unlock()
	round := make([]*topic, 0, min(len(c.due), roundSize))
	for t := range c.due {
		if len(round) == roundSize || c.hub.ctx.Err() != nil {
			break
		}
		round = append(round, t)
		delete(c.due, t)
	}
	c.reading = len(round) > 0
	return round
}

// look is how a round found a topic, and what it has read for it.
type look struct {
	topic     *topic
	number    int64
	known     tracking.Revision
	confirmed bool        // every watch was, before anything was read of what it watches
	gaps      int         // a gap more, and what was read may be older than what was missed
	courierID tracking.ID // whose place is looked up; zero for nobody's
	courier   Watch
	newest    *tracking.Position
	err       error
}

// read brings topics up to date in one round.
func (h *Hub) read(round []*topic) {
	ctx, cancel := context.WithTimeout(h.ctx, readLimit)
	defer cancel()
	looks := make([]look, len(round))
	for i, t := range round {
		looks[i] = t.look()
	}
	h.readRecords(ctx, looks)
	h.readPlaces(ctx, looks)
	settle(looks)
}

// settle ends a round for all its topics. Whoever waited is shown everything then, with a system call for each: when a crowd comes back, that is work for
// every processor.
func settle(looks []look) {
	var parts sync.WaitGroup
	for part := range slices.Chunk(looks, max(settledAlone, (len(looks)+1)/runtime.GOMAXPROCS(0))) {
		parts.Go(func() {
			for i := range part {
				part[i].topic.settle(&part[i])
			}
		})
	}
	parts.Wait()
}

// look begins a round: the watch on the delivery must have been confirmed by now for what follows to be the whole truth.
func (t *topic) look() look {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	return look{topic: t, number: t.looks, known: t.record.Revision(), confirmed: t.delivery.Live(), gaps: t.gaps}
}

// readRecords compares all revisions at once, and reads the records that differ.
func (h *Hub) readRecords(ctx context.Context, looks []look) {
	ids := make([]tracking.ID, len(looks))
	for i := range looks {
		ids[i] = looks[i].topic.id
	}
	revs, err := h.records.Revs(ctx, ids)
	var reading errgroup.Group
	reading.SetLimit(readsAtOnce)
	for i := range looks {
		l := &looks[i]
		if err != nil {
			l.err = err
		} else if revs[i] != l.known {
			reading.Go(func() error {
				l.err = l.topic.read(ctx, newer(l.known, revs[i]))
				return nil
			})
		}
	}
	_ = reading.Wait() // each look has its own error
}

// read reads a record. A hot store that knows less than the topic has slept through what viewers were shown from the truth, and perhaps through more;
// then the truth is asked, and the hot store learns it too.
func (t *topic) read(ctx context.Context, ahead bool) error {
	t.hub.metrics.reads.Inc()
	read := t.hub.records.Record
	if ahead {
		read = t.hub.records.Fresh
	}
	record, err := read(ctx, t.id)
	if err == nil {
		t.changed(record)
	}
	return err
}

// readPlaces asks at once where all couriers are who are on their way, after the watches on them were confirmed.
func (h *Hub) readPlaces(ctx context.Context, looks []look) {
	waiting, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	var couriers []tracking.ID
	place := map[tracking.ID]int{}
	for i := range looks {
		l := &looks[i]
		if l.courierID, l.courier = l.topic.courierUnderway(); l.courierID.IsZero() {
			continue
		}
		if l.courier != nil && l.confirmed {
			await(waiting, l.courier)
			l.confirmed = l.courier.Live()
		}
		if _, known := place[l.courierID]; !known {
			place[l.courierID] = len(couriers)
			couriers = append(couriers, l.courierID)
		}
	}
	if len(couriers) == 0 {
		return
	}
	newest, err := h.records.NewestOf(ctx, couriers)
	for i := range looks {
		l := &looks[i]
		switch {
		case l.courierID.IsZero() || l.err != nil:
		case err != nil:
			l.err = err
		default:
			l.newest = newest[place[l.courierID]]
		}
	}
}

// courierUnderway is whose place the customer's range of arrival, at least, is worked out from; the watch is there when they may be seen, too.
func (t *topic) courierUnderway() (tracking.ID, Watch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.record.Delivery.Status.Underway() || !t.record.Courier.OnDuty {
		return tracking.ID{}, nil
	}
	return t.record.Delivery.CourierID, t.courier
}

// settle ends a round for a topic. It is live when its watches were confirmed before the round read anything and have not been lost since: whatever
// happened before was read, and whatever happens after is heard.
func (t *topic) settle(l *look) {
	if tracking.CodeOf(l.err) == tracking.CodeNotFound {
		t.vanish(l)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	// What was read belongs to the courier it was read of, and to a delivery that is still underway.
	if l.newest != nil && l.courierID == t.record.Delivery.CourierID && t.record.Delivery.Status.Underway() {
		if t.place(*l.newest) {
			t.show()
		}
	}
	// With another courier than the round has seen the next round decides: the watch on them makes the topic due.
	if t.courier == nil || t.courier == l.courier {
		t.setLive(l.err == nil && l.confirmed && l.gaps == t.gaps)
	}
	t.settles(l.number)
}

// vanish sends everybody away: there is no such delivery any more. Whoever comes next is told so when their link is opened.
func (t *topic) vanish(l *look) {
	t.hub.forget(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = l.err
	for _, v := range t.viewers {
		v.outbox.end(failed(l.err), 0)
	}
	t.settles(l.number)
}
