package redisstore_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// Whatever happens to Redis, nobody reads anything older than what was announced before they began to read, and what could not be announced is read a
// moment later. HOTFOOT_SOAK=10m makes it go on for so long.
func TestConsistency(t *testing.T) {
	t.Parallel()
	lasts := 5 * time.Second
	if text := os.Getenv("HOTFOOT_SOAK"); text != "" {
		var err error
		lasts, err = time.ParseDuration(text)
		must(t, err)
	}
	s := newSoak(t)
	began := time.Now()
	over := began.Add(lasts)
	enough := func() bool { return s.changes.Load() >= 50 && s.strict.Load() >= 200 && s.bounded.Load() >= 100 }
	// A machine that has no time for the test must not make it prove less.
	goOn := func() bool {
		return !t.Failed() && (time.Now().Before(over) || !enough() && time.Now().Before(over.Add(patience)))
	}
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			for goOn() {
				s.change()
			}
		})
	}
	for range 8 {
		work.Go(func() {
			for goOn() {
				s.read()
			}
		})
	}
	accidents := map[string]int{}
	for goOn() {
		<-time.After(rand.N(10 * time.Millisecond))
		restarts, held := s.accident.Load(), s.strict.Load()
		// For a while Redis is restarted again and again, and then left running for long enough that something is held against the bound.
		accidents[s.hurt(int(time.Since(began)/(2*soakBound))%2 == 0)]++
		// Where a restart takes its time, Redis would hardly ever be there for long enough that something is held against anybody.
		for s.accident.Load() != restarts && s.strict.Load() < held+5 && goOn() {
			<-time.After(time.Millisecond)
		}
	}
	work.Wait()
	t.Logf("%d changes, %d reads, %d of them held against what was announced, %d of these also against what was acknowledged before the bound, %d refused; accidents: %v",
		s.changes.Load(), s.reads.Load(), s.strict.Load(), s.bounded.Load(), s.refused.Load(), accidents)
	if !enough() || s.refused.Load()*10 > s.reads.Load() {
		t.Error("that proves nothing")
	}
	// What could not be announced is announced in the end.
	for id, acks := range s.acked {
		await(t, "the last change is read", func() bool {
			r, err := s.any().Record(t.Context(), id)
			return err == nil && r.Delivery.Rev >= acks[len(acks)-1].rev
		})
	}
}

// change makes one change by way of any node.
func (s *soak) change() {
	n, id := s.any(), s.pick(6)
	courier := s.couriers[rand.N(len(s.couriers))]
	what := rand.N(12)
	if what == 0 || id.IsZero() {
		draft := tracking.Draft{Pickup: tracking.Place{Lat: 1, Lon: 1}, Dropoff: tracking.Place{Lat: 2, Lon: 2}}
		if r, err := n.dispatch.Create(s.ctx, s.merchant, draft, tracking.Once{}); err == nil {
			s.acknowledge(r)
		}
		return
	}
	switch what {
	case 1, 2:
		place := 0
		if r, err := n.dispatch.Assign(s.ctx, s.merchant, id, courier.ID, &place); err == nil {
			s.acknowledge(r)
		}
	case 3:
		if r, err := n.dispatch.RevokeLink(s.ctx, s.merchant, id); err == nil {
			s.acknowledge(r)
		}
	default:
		phone := tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.merchant.MerchantID, CourierID: courier.ID, KeyID: tracking.NewID()}
		status := []tracking.Status{tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.EnRoute, tracking.Failed}[rand.N(5)]
		reported, err := n.dispatch.Report(s.ctx, phone, id, tracking.Move{To: status, ClientID: tracking.NewID().String()})
		if err == nil {
			s.acknowledge(reported.Record)
		}
	}
}

// read reads one delivery by way of any node, and holds what it got against what was promised before it began.
func (s *soak) read() {
	n, id := s.any(), s.pick([]int{6, 60}[rand.N(2)])
	if id.IsZero() {
		return
	}
	before := s.accident.Load()
	floor, bounded := s.floor(id)
	var r *tracking.Record
	var err error
	way := rand.N(3)
	switch way {
	case 0:
		var record tracking.Record
		record, err = n.Record(s.ctx, id)
		r = &record
	case 1:
		var sight tracking.Sight
		sight, err = n.Sight(s.ctx, id)
		r = sight.Record
	case 2:
		generation := uint8(0)
		if known, err := n.Record(s.ctx, id); err == nil {
			generation = known.Delivery.LinkGen
		}
		var view tracking.View
		view, _, err = n.viewing.Show(s.ctx, s.linker.Token(id, generation), nil)
		if tracking.CodeOf(err) == tracking.CodeNotFound {
			return // the link was revoked meanwhile
		}
		r = view.Record
	}
	s.reads.Add(1)
	if tracking.CodeOf(err) == tracking.CodeUnavailable {
		s.refused.Add(1)
		return
	}
	switch settled := before%2 == 0 && s.accident.Load() == before; {
	case err != nil:
		s.t.Errorf("read %d of %s: %v", way, id, err)
	case !settled:
	case r.Delivery.Rev < floor:
		s.t.Errorf("read %d of %s got %v, want rev %d, bounded %v", way, id, r.Revision(), floor, bounded)
	default:
		s.strict.Add(1)
		if bounded {
			s.bounded.Add(1)
		}
	}
}

// hurt has something happen to Redis, and says what; with restarts or without.
func (s *soak) hurt(restarts bool) string {
	id, most := s.pick(6), 100
	if !restarts {
		most = 94
	}
	switch what := rand.N(most); {
	case what < 30:
		_ = s.client.PExpire(s.ctx, key.Delivery(id), time.Millisecond).Err()
		return "expired"
	case what < 65:
		_ = s.client.Del(s.ctx, key.Delivery(id)).Err()
		return "evicted"
	case what < 85:
		_ = s.client.SetNX(s.ctx, key.Fill(id), "one who died", 200*time.Millisecond).Err()
		return "dead filler"
	case what < 90:
		_ = s.client.Del(s.ctx, key.Fill(id)).Err()
		return "lost placeholder"
	case what < 94:
		_, _ = s.truth.RaiseEpoch(s.ctx)
		return "epoch raised"
	case what < 96:
		s.restart(func(string) {})
		return "killed"
	case what < 98:
		s.restart(func(file string) {
			// The newest is lost, as with a replica that took over.
			info, err := os.Stat(file)
			must(s.t, err)
			must(s.t, os.Truncate(file, max(0, info.Size()-rand.Int64N(20_000))))
		})
		return "set back"
	default:
		s.restart(func(file string) { must(s.t, os.Truncate(file, 0)) })
		return "emptied"
	}
}

// restart kills Redis, has something happen to its file, and starts it again. It ends when all nodes know that it is another run.
func (s *soak) restart(meanwhile func(file string)) {
	s.accident.Add(1)
	defer s.accident.Add(1)
	var before [len(s.nodes)]redisstore.Runs
	for i, n := range s.nodes {
		before[i] = *n.runs.Load()
	}
	s.redis.Kill()
	files, err := filepath.Glob(filepath.Join(s.dir, "redis", "appendonlydir", "*.incr.aof"))
	must(s.t, err)
	if len(files) != 1 {
		s.t.Fatal(fmt.Sprint("its file is one of ", files))
	}
	meanwhile(files[0])
	s.start()
	for i, n := range s.nodes {
		await(s.t, "a node knows the new run", func() bool { return *n.runs.Load() != before[i] })
	}
}
