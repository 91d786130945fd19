package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// invent makes deliveries on their way that only Redis knows: thousands, which Postgres would take its time for.
func (s *shop) invent(t *testing.T, count int) []tracking.Record {
	t.Helper()
	records := make([]tracking.Record, count)
	for i := range records {
		courier := tracking.Courier{ID: tracking.NewID(), MerchantID: s.merchant, Name: "Sam", Vehicle: tracking.Bike, OnDuty: true}
		records[i] = tracking.Record{
			Epoch: 1, Courier: courier, Merchant: tracking.Merchant{ID: s.merchant, Name: "Corner Kitchen", VisibleStops: 2},
			Delivery: tracking.Delivery{
				ID: tracking.NewID(), MerchantID: s.merchant, Status: tracking.EnRoute, Ver: 4, Rev: 4, CourierID: courier.ID, Pickup: kitchen, Dropoff: home,
			},
			Events: []tracking.Event{{Ver: 4, Status: tracking.EnRoute, At: time.Now()}},
		}
	}
	s.announce(t, records)
	return records
}

func (s *shop) announce(t *testing.T, records []tracking.Record) {
	t.Helper()
	// In few at a time: a command must be done within the client's second, on a busy machine too.
	for some := range slices.Chunk(records, 100) {
		must(t, s.hot.Announce(t.Context(), some...))
	}
}

// inUse is the memory of all that is alive, stacks included.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// Half a thousand viewers read one byte a second or nothing at all, each watching something else, so that nothing they are owed is shared. Each costs
// little, and others wait for none of them. It is not parallel: it measures memory.
func TestHub_slow_viewers_cost_little_and_delay_nobody(t *testing.T) {
	const slow, rounds, quick = 500, 36, 5
	s := newShop(t)
	// Nothing is given up before it was measured.
	n := s.node(gateway.Config{}.Hasty(gateway.Hasty{Write: patience}))
	records := s.invent(t, slow)
	watching, heard := make([]*socket, quick), make([]int, quick)
	for i := range watching {
		watching[i] = n.watch(t, records[i])
	}
	// turn announces a status of everything, and answers how long the quick ones had to wait for theirs.
	turn := func() (longest time.Duration) {
		for i := range records {
			records[i] = s.onward(records[i], 1500)
		}
		began := time.Now()
		s.announce(t, records)
		for i, v := range watching {
			_, heard[i] = v.frame("the status", heard[i], func(f frame) bool { return f.Ver == records[i].Delivery.Ver })
		}
		return time.Since(began)
	}
	var before, after []time.Duration
	empty := inUse()
	conns := make([]net.Conn, slow)
	var reading sync.WaitGroup
	for i := range conns {
		conns[i] = n.rawSocket(t, "/track/"+s.token(records[i])+"/live")
		reading.Go(func() { _, _ = io.Copy(io.Discard, conns[i]) })
	}
	n.sockets(t, slow+quick)
	for range rounds / 2 {
		before = append(before, turn()) // as long as all read what they are sent
	}
	for _, conn := range conns {
		must(t, conn.SetReadDeadline(time.Unix(0, 1)))
	}
	reading.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	reading.Go(func() {
		pace := time.NewTicker(time.Second)
		defer pace.Stop()
		for one := make([]byte, 1); ; {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			for _, conn := range conns[:slow/2] {
				_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
				_, _ = conn.Read(one)
			}
		}
	})
	for range rounds {
		after = append(after, turn())
	}
	each := (int64(inUse()) - int64(empty)) / slow
	cancel()
	for _, conn := range conns {
		_ = conn.Close()
	}
	reading.Wait()
	slices.Sort(before)
	slices.Sort(after)
	t.Logf("%d kB each with %d statuses of a kilobyte and a half waiting; of a round of %d statuses the others have theirs within %v (median) and %v (slowest), as long as the slow ones read within %v and %v",
		each>>10, rounds, slow, after[rounds/2], after[rounds-1], before[len(before)/2], before[len(before)-1])
	if each > 64<<10 {
		t.Errorf("a slow socket costs %d bytes", each)
	}
	if after[rounds-1] > 2*time.Second+10*before[len(before)-1] {
		t.Errorf("others waited %v", after[rounds-1])
	}
	n.sockets(t, quick)
}

// A gateway is killed, and all its viewers come to another one in the same moment.
func TestHub_everybody_comes_back_at_once(t *testing.T) {
	const viewers, deliveries = 2000, 200
	s := newShop(t)
	killed, other := s.node(gateway.Config{}), s.node(gateway.Config{})
	// On a busy machine Redis answers too late now and then, and then Postgres must know them too.
	records, phone := make([]tracking.Record, deliveries), s.hire("Sam")
	for i := range records {
		records[i] = s.deliver(phone, tracking.PickedUp, tracking.EnRoute)
	}
	connect := func(n *node, i int) (*websocket.Conn, error) {
		d := dialer()
		d.ReadBufferSize, d.WriteBufferSize = 512, 512
		address := live(n, s.token(records[i%deliveries]), "1."+strconv.Itoa(i%5))
		conn, response, err := d.Dial(address, nil)
		// Whoever is told that a store is slow comes again, as every page does, though at once: each answer has waited for the store already.
		for began := time.Now(); err != nil && response != nil && response.StatusCode == http.StatusServiceUnavailable && time.Since(began) < patience; {
			conn, response, err = d.Dial(address, nil)
		}
		if err != nil && response != nil {
			return nil, fmt.Errorf("%s: %w", response.Status, err)
		}
		if err != nil {
			return nil, err
		}
		var f frame
		if err := conn.ReadJSON(&f); err != nil || f.Type != "snapshot" || f.Ver != 4 {
			_ = conn.Close()
			return nil, fmt.Errorf("the first frame is %+v, %w", f, err)
		}
		return conn, nil
	}
	var coming, there sync.WaitGroup
	waits := make([]time.Duration, viewers)
	ready, kill := make(chan struct{}), make(chan struct{})
	there.Add(viewers)
	var at time.Time
	handshakes := make(chan struct{}, 50)
	for i := range viewers {
		coming.Go(func() {
			handshakes <- struct{}{} // nobody is in a hurry yet
			conn, err := connect(killed, i)
			<-handshakes
			there.Done()
			if err != nil {
				t.Error(err)
				return
			}
			<-kill
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			_ = conn.Close()
			if conn, err = connect(other, i); err != nil {
				t.Error(err)
				return
			}
			waits[i] = time.Since(at)
			<-ready
			_ = conn.Close()
		})
	}
	there.Wait()
	at = time.Now()
	close(kill)
	killed.hub.Close()
	other.sockets(t, viewers)
	close(ready)
	coming.Wait()
	slices.Sort(waits)
	t.Logf("%d viewers of %d deliveries: half had their snapshot again within %v, 99 of 100 within %v, all within %v; reads: %d records, %d times revisions, %d times places",
		viewers, deliveries, waits[viewers/2], waits[viewers*99/100], waits[viewers-1], other.reads.record.Load(), other.reads.revs.Load(), other.reads.places.Load())
	if got := other.reads.record.Load(); got > deliveries+10 {
		t.Errorf("%d records were read for %d deliveries", got, deliveries)
	}
	if waits[viewers-1] > patience {
		t.Errorf("the last one waited %v", waits[viewers-1])
	}
}
