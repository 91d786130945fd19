package load

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// Size says how many there are; zero fields get the defaults, which leave two cores time for everything else.
type Size struct {
	Couriers    int           // 20
	Deliveries  int           // 30
	Viewers     int           // 80; a tenth of them by stream, a quarter restless
	Maps        int           // 2
	ReportEvery time.Duration // a phone's pause between two reports; 200 ms
	StepEvery   time.Duration // a rider's between two statuses; 500 ms
	Drowsy      int           // viewers beside those, who read next to nothing between Doze and Wake; 0
	Wild        bool          // every phone that counts its fixes is wild
	WrongClocks bool          // two thirds of the phones have a clock that is wrong
}

// WithDefaults fills in what is not said.
func (s Size) WithDefaults() Size {
	or := func(n *int, standard int) {
		if *n == 0 {
			*n = standard
		}
	}
	or(&s.Couriers, 20)
	or(&s.Deliveries, 30)
	or(&s.Viewers, 80)
	or(&s.Maps, 2)
	if s.ReportEvery == 0 {
		s.ReportEvery = 200 * time.Millisecond
	}
	if s.StepEvery == 0 {
		s.StepEvery = 500 * time.Millisecond
	}
	return s
}

// Load is everybody at work.
type Load struct {
	rig      *rig.Rig
	log      *oracle.Log
	seed     uint64
	api      *caller
	gateways *caller
	phones   []*phone
	riders   []*rider
	viewers  []*viewer

	enough     chan struct{} // closed: make nothing new
	enoughOnce sync.Once
	work       context.Context // of phones, riders and the dispatcher
	stopWork   context.CancelFunc
	working    sync.WaitGroup
	watchers   context.Context
	stopWatch  context.CancelFunc
	watching   sync.WaitGroup
	gate       gate        // before what drowsy viewers read
	impatience atomic.Bool // a third of the phones give up what is refused
	epoch      atomic.Int64
}

// Start puts everybody to work. They stop when ctx ends, or with Settle and Close.
func Start(ctx context.Context, r *rig.Rig, log *oracle.Log, seed uint64, size Size) (*Load, error) {
	size = size.WithDefaults()
	l := &Load{rig: r, log: log, seed: seed, api: newCaller(log, r.API), gateways: newCaller(log, r.Gateways), enough: make(chan struct{})}
	l.work, l.stopWork = context.WithCancel(ctx)
	l.watchers, l.stopWatch = context.WithCancel(ctx)
	s, err := populate(l.work, l.api, r.Keys.MerchantKey, l.random("setting"), size.Couriers, size.Deliveries)
	if err != nil {
		l.Close()
		return nil, err
	}
	for i, c := range s.couriers {
		m := mannerOf(i)
		if size.Wild && m != uncounted {
			m = wild
		}
		p := &phone{
			courier: c, manner: m, call: l.api, log: log.Phone(c.id, c.name), random: l.random(c.name), every: size.ReportEvery,
			session: sessionOf(m, i), clock: clockOf(size.WrongClocks, m, i),
		}
		if i%3 == 0 {
			p.impatient = &l.impatience
		}
		l.phones = append(l.phones, p)
		l.working.Go(func() { p.run(l.work, l.enough) })
	}
	for i, d := range s.deliveries {
		rider := &rider{delivery: d, call: l.api, log: log, random: l.random(fmt.Sprint("rider ", i)), every: size.StepEvery}
		if size.WrongClocks {
			rider.clock = l.phones[i%len(l.phones)].clock
		}
		l.riders = append(l.riders, rider)
		l.working.Go(func() { rider.run(l.work, l.enough) })
	}
	boss := &dispatcher{key: r.Keys.MerchantKey, call: l.api, log: log, random: l.random("dispatcher"), couriers: s.couriers, every: 300 * time.Millisecond}
	for _, d := range s.loose {
		boss.jobs = append(boss.jobs, job{id: d.id, status: "created"})
	}
	l.working.Go(func() { boss.run(l.work, l.enough) })
	l.watch(append(s.deliveries, s.loose...), size)
	return l, nil
}

// Hesitate has riders and the dispatcher wait for so long before they repeat what got no answer.
func (l *Load) Hesitate(d time.Duration) { l.api.hesitate.Store(int64(d)) }

// GiveUp has a third of the phones give up what is refused with 503, or not any more.
func (l *Load) GiveUp(yes bool) { l.impatience.Store(yes) }

// GivenUp is how many fixes phones have given up.
func (l *Load) GivenUp() (n int64) {
	for _, p := range l.phones {
		n += p.gaveUp.Load()
	}
	return n
}

// arriveEvery is how long after the one before it a viewer comes; a crowd that comes at once is a fault, and no beginning.
const arriveEvery = 2 * time.Millisecond

// watch starts those who look.
func (l *Load) watch(deliveries []delivery, size Size) {
	for i := range size.Viewers + size.Drowsy {
		d := deliveries[i%len(deliveries)]
		name := fmt.Sprint("viewer ", i)
		v := &viewer{
			delivery: d, open: openSocket, call: l.gateways, log: l.log.Viewer(name, d.id), random: l.random(name), restless: i%4 == 3,
			epoch: &l.epoch,
		}
		if i%10 == 5 {
			v.open, v.streams = openStream, true
		}
		if i >= size.Viewers {
			v.open, v.streams, v.restless = openDrowsily(&l.gate, i%2 == 0), false, false
			v.log.Drowsy = true
		}
		v.log.Restless = v.restless
		l.viewers = append(l.viewers, v)
		l.watching.Go(func() {
			if sleep(l.watchers, time.Duration(i)*arriveEvery) {
				v.run(l.watchers, l.enough)
			}
		})
	}
	for i := range size.Maps {
		name := fmt.Sprint("map ", i)
		m := &mapViewer{key: l.rig.Keys.OpsKey, call: l.gateways, log: l.log.Map(name), random: l.random(name)}
		l.watching.Go(func() { m.run(l.watchers, l.enough) })
	}
}

// Doze makes drowsy viewers read next to nothing.
func (l *Load) Doze() { l.gate.shut() }

// Wake lets them read again, beginning with what has waited for them.
func (l *Load) Wake() { l.gate.open() }

// random is the source of one of them.
func (l *Load) random(who string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(who))
	return rand.New(rand.NewPCG(l.seed, h.Sum64()))
}

// UnderWay reports whether everybody has begun: every phone has something durable, every delivery is on its last stretch, and every viewer sees
// it live.
func (l *Load) UnderWay() error {
	for _, p := range l.phones {
		if !p.acked.Load() {
			return fmt.Errorf("%s has had no position made durable", p.courier.name)
		}
	}
	for _, r := range l.riders {
		if !r.moving.Load() {
			return fmt.Errorf("delivery %s is not on its way", r.delivery.id)
		}
	}
	return l.Converged(nil)
}

// Rewritten says that history was rewritten under a new epoch. Who was sent away for an end that may not have happened looks again.
func (l *Load) Rewritten(epoch int64) { l.epoch.Store(epoch) }

// Converged reports whether every viewer who stays is connected, is told live:true, and knows at least these versions, of the present epoch.
func (l *Load) Converged(versions map[string]oracle.StoredDelivery) error {
	settled, epoch := over(l.enough), l.epoch.Load()
	for _, v := range l.viewers {
		s, want := v.sight(), versions[v.delivery.id]
		switch {
		case s.done && s.ver >= want.Ver && s.epoch >= epoch:
		case v.restless && !settled:
		case s.done:
			return fmt.Errorf("%s was sent away at ver %d, Postgres is at %d", v.log.Name, s.ver, want.Ver)
		case !s.connected || !s.greeted:
			return fmt.Errorf("%s is not connected", v.log.Name)
		case !s.live:
			return fmt.Errorf("%s is told live:false", v.log.Name)
		case s.epoch < epoch:
			return fmt.Errorf("%s of delivery %s is in epoch %d, Postgres in %d", v.log.Name, v.delivery.id, s.epoch, epoch)
		case s.ver < want.Ver:
			return fmt.Errorf("%s of delivery %s knows ver %d, Postgres is at %d", v.log.Name, v.delivery.id, s.ver, want.Ver)
		}
	}
	return nil
}

// Sight is what viewers show at one moment.
type Sight struct {
	Connected int
	Live      int // of those: told live:true
	Dark      int // of those: told live:false
	Away      int // between two connections, for good ones aside
}

// Sight looks at every viewer, or at those whose newest connection is to one of these nodes.
func (l *Load) Sight(nodes ...*rig.Node) Sight {
	var all Sight
	for _, v := range l.viewers {
		s := v.sight()
		if len(nodes) > 0 && !slices.Contains(nodes, s.node) {
			continue
		}
		switch {
		case s.connected && s.live:
			all.Connected++
			all.Live++
		case s.connected && s.greeted:
			all.Connected++
			all.Dark++
		case s.connected:
			all.Connected++
		case !s.done:
			all.Away++
		}
	}
	return all
}

// Settle stops what makes new things and waits until phones and riders have got rid of what they have. It gives up when ctx ends, and the log
// then has what was left.
func (l *Load) Settle(ctx context.Context) error {
	l.enoughOnce.Do(func() { close(l.enough) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.working.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		l.stopWork()
		<-done
	}
	for _, r := range l.riders {
		if !r.finished.Load() {
			return fmt.Errorf("stuck queue: delivery %s of %s could not be finished; it is %s", r.delivery.id, r.delivery.courier.name, r.status)
		}
	}
	return nil
}

// Close ends everybody and waits for them.
func (l *Load) Close() {
	l.enoughOnce.Do(func() { close(l.enough) })
	l.stopWork()
	l.stopWatch()
	l.working.Wait()
	l.watching.Wait()
	l.api.close()
	l.gateways.close()
}
