package redisstore

import (
	"context"
	"math/rand/v2"
	"time"

	"hotfoot/tracking"
)

// flight is one computation and those who wait for it.
type flight struct {
	// Guarded by flights.mu. Whoever saw the version that the flight goes by may come aboard: it will answer nothing older. So may anybody while it
	// is open, since nothing has been read yet that it will answer.
	version string
	open    bool

	// answer and err may be read once done is closed.
	done   chan struct{}
	answer tracking.Answer
	began  time.Time // the moment as of which the answer is true, or before
	err    error
}

// flightLimit bounds a computation, and the wait for that of another process.
const flightLimit = 10 * time.Second

// How long to wait before Redis is asked again whether another process is done. There is one who asks for each question and process, whatever the number
// of those who wait; it costs less than the connection and the two commands of a subscription when a computation takes less than some 20 ms, and
// does not hang on a message that may get lost.
const (
	pollFirst = time.Millisecond
	pollLast  = 3 * time.Millisecond
)

// board joins the flight that will answer what was looked for, or starts it. led reports that it was started for this asker.
func (a *Aside) board(q tracking.Question, w tracking.Work, name string, found lookup) (f *flight, led bool, err error) {
	fs := &a.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.aloft[name]; f != nil && (f.open || f.version != "" && f.version == found.version) {
		return f, false, nil
	}
	if fs.closed {
		return nil, false, tracking.Unavailable("this node", context.Canceled)
	}
	if fs.count >= maxFlights {
		return nil, false, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too much is being computed", RetryAfter: time.Second}
	}
	fs.count++
	f = &flight{version: found.version, open: true, done: make(chan struct{})}
	fs.aloft[name] = f
	fs.crew.Go(func() { a.fly(f, q, w, name, found) })
	return f, true, nil
}

// wait waits for a flight's answer.
func (f *flight) wait(ctx context.Context, led bool) (tracking.Answer, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		return tracking.Answer{}, &tracking.Error{Code: tracking.CodeUnavailable, Message: "this takes too long to compute; try again shortly", RetryAfter: time.Second, Err: ctx.Err()}
	}
	answer := f.answer
	if answer.Source == tracking.Computed && !led {
		answer.Source = tracking.Collapsed
	}
	answer.Age = time.Since(f.began)
	return answer, f.err
}

// fly finds the answer for all aboard. Askers come and go; the flight has its own bound.
func (a *Aside) fly(f *flight, q tracking.Question, w tracking.Work, name string, found lookup) {
	ctx, cancel := context.WithTimeout(context.Background(), flightLimit)
	defer cancel()
	found = a.await(ctx, f, q, w, name, found)
	if found.what == isHit || found.what == isStale {
		f.answer, f.began = tracking.Answer{Value: found.value, Source: tracking.FromStale}, found.asked.Add(-found.age)
		if found.what == isHit {
			f.answer.Source = tracking.Collapsed
			a.memory.put(q, name, found)
		}
		a.arrive(f, name)
		return
	}
	if found.what == isAlone {
		f.answer.Source, found.asked, found.generation = tracking.Uncached, time.Now(), a.memory.generation(q)
	} else {
		f.answer.Source = tracking.Computed
	}
	f.began = found.asked
	a.work(ctx, f, q, w, name, found)
	a.arrive(f, name)
}

// await waits while another process computes the answer, until it is there or it is our turn.
func (a *Aside) await(ctx context.Context, f *flight, q tracking.Question, w tracking.Work, name string, found lookup) lookup {
	// Between being told that it is our turn and boarding, another flight of this process may have taken that turn, and landed.
	if found.leased != "" && !a.lease(ctx, name, found, leaseLasts) {
		found = a.look(ctx, f, q, w, name)
	}
	if found.what == isWait {
		a.rooms[q.Computation].waits.Inc()
	}
	for pause := pollFirst; found.what == isWait; pause = min(2*pause, pollLast) {
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return lookup{what: isAlone}
		}
		found = a.look(ctx, f, q, w, name)
	}
	return found
}

// look asks Redis again for all aboard. Whoever comes meanwhile may know of a change that Redis has not seen when it answers.
func (a *Aside) look(ctx context.Context, f *flight, q tracking.Question, w tracking.Work, name string) lookup {
	a.flights.set(f, "", false)
	found, err := a.lookup(ctx, q, w, name)
	if err != nil {
		found = lookup{what: isAlone}
	}
	a.flights.set(f, found.version, found.what != isHit && found.what != isStale)
	return found
}

// set says who may come aboard; an empty version leaves the one before.
func (fs *flights) set(f *flight, version string, open bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f.open = open; version != "" {
		f.version = version
	}
}

// work computes, and keeps what came out when it was our turn by a lease.
func (a *Aside) work(ctx context.Context, f *flight, q tracking.Question, w tracking.Work, name string, found lookup) {
	leased := found.what != isAlone
	if leased {
		stop := a.hold(ctx, name, found)
		defer stop()
	}
	f.answer.Value, f.err = a.compute(ctx, q, w, func() {
		a.flights.set(f, "", false)
		if !leased {
			f.began = time.Now()
		}
	})
	outcome := fillFailed
	defer func() { a.rooms[q.Computation].fills[outcome].Inc() }()
	if f.err != nil {
		f.answer = tracking.Answer{}
		if leased {
			a.lease(ctx, name, found, 0)
		}
		return
	}
	outcome = fillUnkept
	found.age, found.life, found.same = 0, q.Computation.Life, leased
	body, err := w.Encode(f.answer.Value)
	switch {
	case !leased:
	case err != nil:
		a.lease(ctx, name, found, 0)
	case a.keep(ctx, q, name, found, body):
		outcome = fillKept
	}
	if err == nil {
		found.asked, found.size, found.value = f.began, len(body), f.answer.Value
		a.memory.put(q, name, found)
	}
}

// hold makes the lease last until stop.
func (a *Aside) hold(ctx context.Context, name string, found lookup) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(leaseEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				a.lease(ctx, name, found, leaseLasts)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// arrive lets everybody have the answer.
func (a *Aside) arrive(f *flight, name string) {
	a.flights.mu.Lock()
	a.flights.count--
	if a.flights.aloft[name] == f {
		delete(a.flights.aloft, name)
	}
	a.flights.mu.Unlock()
	close(f.done)
}
