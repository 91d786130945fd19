package redisstore_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// shop is a merchant with couriers in a Postgres of its own.
type shop struct {
	*postgres.Store
	pool     *pgxpool.Pool
	merchant tracking.ID
	couriers []tracking.ID
}

func newShop(t testing.TB, couriers int) *shop {
	t.Helper()
	s := &shop{pool: storetest.Postgres(t)}
	s.Store = postgres.New(s.pool, nil)
	m, err := s.Merchant(t.Context(), "Corner Kitchen", time.Now())
	must(t, err)
	s.merchant = m.ID
	for range couriers {
		c := tracking.Courier{ID: tracking.NewID(), MerchantID: m.ID, Name: "Sam", Vehicle: tracking.Bike, Rev: 1, CreatedAt: time.Now()}
		k, _ := tracking.NewKey(m.ID, tracking.RoleCourier, c.ID, "")
		must(t, s.CreateCourier(t.Context(), c, k))
		s.couriers = append(s.couriers, c.ID)
	}
	return s
}

const completeSQL = `
INSERT INTO deliveries (id, merchant_id, status, ver, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, window_to, created_at, updated_at, finished_at)
VALUES ($1, $2, 'delivered', 1, $3, 1, 2, 3, 4, $4, $5, $5, $5)`

// complete commits a delivery that is delivered at a moment, by somebody, in time or not, if that was promised. It answers the record to announce.
func (s *shop) complete(ctx context.Context, when time.Time) (tracking.Record, error) {
	promises := []*time.Time{nil, new(when), new(when.Add(-time.Millisecond)), new(when.Add(time.Hour))}
	id := tracking.NewID()
	if _, err := s.pool.Exec(ctx, completeSQL, id, s.merchant, s.couriers[rand.N(len(s.couriers))], promises[rand.N(len(promises))], when); err != nil {
		return tracking.Record{}, err
	}
	return s.Record(ctx, id)
}

// completeMany commits many deliveries at once, some of them promised, and some of these in time.
func (s *shop) completeMany(t testing.TB, n int) {
	t.Helper()
	_, err := s.pool.Exec(t.Context(), `INSERT INTO deliveries (id, merchant_id, status, ver, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, window_to, created_at, updated_at, finished_at)
		SELECT gen_random_uuid(), $1, 'delivered', 1, ($2::uuid[])[1 + floor(random() * cardinality($2::uuid[]))::int], 1, 2, 3, 4,
			CASE WHEN n % 5 > 0 THEN $3::timestamptz + (n % 7) * interval '1 second' END, $3, $3, $3::timestamptz + interval '3 seconds' FROM generate_series(1, $4::int) n`,
		s.merchant, s.couriers, noon, n)
	must(t, err)
}

// day is one that is over before anybody's clock could leave it.
var day = tracking.DayOf(noon)

// filled is a board that was filled from the shop's truth.
func (h hot) filled(t testing.TB, s *shop) {
	t.Helper()
	lease, err := h.Acquire(t.Context(), tracking.Resource{Work: "board", Of: s.merchant}, long, 0)
	must(t, err)
	must(t, h.FillBoard(t.Context(), lease, s.merchant, day, func(ctx context.Context) (tracking.Completions, error) { return s.Completions(ctx, s.merchant, day) }))
	must(t, h.Release(t.Context(), lease))
}

// compare fails unless the hot board is the truth's, but for names.
func (h hot) compare(t *testing.T, s *shop) {
	t.Helper()
	got, err := h.Board(t.Context(), s.merchant, day, tracking.MaxStandings)
	must(t, err)
	if want := s.standings(t); !slices.Equal(got, want) {
		t.Fatalf("the board is\n%v\nwant\n%v", got, want)
	}
}

func (s *shop) standings(t *testing.T) []tracking.Standing {
	t.Helper()
	standings, err := s.Standings(t.Context(), s.merchant, day, tracking.MaxStandings)
	must(t, err)
	for i := range standings {
		standings[i].Name = ""
	}
	return standings
}

func TestStore_Board(t *testing.T) {
	t.Parallel()
	t.Run("counts each delivery once, however often and in whatever order it is announced", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 7)
		var records []tracking.Record
		for i := range 200 {
			r, err := s.complete(t.Context(), at(float64(i)))
			must(t, err)
			records = append(records, r, r)
			if i == 100 {
				h.filled(t, s)
			}
		}
		rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		must(t, h.Announce(t.Context(), records...))
		h.compare(t, s)
	})
	t.Run("is filled in several pieces", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 150)
		s.completeMany(t, 2345)
		h.filled(t, s)
		h.compare(t, s)
		if best, err := h.Board(t.Context(), s.merchant, day, 3); err != nil || len(best) != 3 {
			t.Errorf("the best three are %v, %v", best, err)
		}
	})
	t.Run("is empty where nothing was delivered, and none where nobody filled it", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 1)
		_, err := h.Board(t.Context(), s.merchant, day, 3)
		wantCode(t, err, tracking.CodeNotFound)
		r, err := s.complete(t.Context(), at(-24*3600))
		must(t, err)
		must(t, h.Announce(t.Context(), r))
		h.filled(t, s)
		if best, err := h.Board(t.Context(), s.merchant, day, 3); err != nil || len(best) != 0 {
			t.Errorf("%v, %v", best, err)
		}
		_, err = h.Board(t.Context(), s.merchant, day-1, 3)
		wantCode(t, err, tracking.CodeNotFound)
	})
	t.Run("counts what is announced while it is filled, and is not believed before", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 3)
		lease, err := h.Acquire(t.Context(), tracking.Resource{Work: "board"}, long, 0)
		must(t, err)
		must(t, h.FillBoard(t.Context(), lease, s.merchant, day, func(ctx context.Context) (tracking.Completions, error) {
			seen, err := s.complete(ctx, at(1))
			must(t, err)
			must(t, h.Announce(ctx, seen))
			found, err := s.Completions(ctx, s.merchant, day)
			must(t, err)
			unseen, err := s.complete(ctx, at(2))
			must(t, err)
			must(t, h.Announce(ctx, unseen))
			_, err = h.Board(ctx, s.merchant, day, 3)
			wantCode(t, err, tracking.CodeNotFound)
			return found, nil
		}))
		h.compare(t, s)
	})
	t.Run("is left alone by a filler who has slept past the lease", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 3)
		work := tracking.Resource{Work: "board"}
		slow, err := h.Acquire(t.Context(), work, long, 0)
		must(t, err)
		err = h.FillBoard(t.Context(), slow, s.merchant, day, func(ctx context.Context) (tracking.Completions, error) {
			found, err := s.Completions(ctx, s.merchant, day)
			must(t, err)
			_, err = s.complete(ctx, at(1))
			must(t, err)
			expire(t, h, work)
			h.filled(t, s)
			return found, err
		})
		wantCode(t, err, tracking.CodeConflict)
		wantCode(t, h.FillBoard(t.Context(), slow, s.merchant, day, nil), tracking.CodeConflict)
		h.compare(t, s)
	})
	t.Run("is not believed when it is of an earlier epoch, left of another run, or lacks a part", func(t *testing.T) {
		t.Parallel()
		for name, spoil := range map[string]func(*testing.T, hot, *shop){
			"epoch":   func(_ *testing.T, h hot, _ *shop) { h.SetEpoch(2) },
			"run":     func(_ *testing.T, h hot, _ *shop) { h.in("another") },
			"board":   func(t *testing.T, h hot, s *shop) { h.evict(t, s, 0) },
			"scores":  func(t *testing.T, h hot, s *shop) { h.evict(t, s, 1) },
			"counted": func(t *testing.T, h hot, s *shop) { h.evict(t, s, 2) },
			"a later epoch's delivery": func(t *testing.T, h hot, s *shop) {
				r, err := s.complete(t.Context(), at(3))
				must(t, err)
				r.Epoch++
				must(t, h.Announce(t.Context(), r))
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h, s := newHot(t), newShop(t, 3)
				h.in("this")
				r, err := s.complete(t.Context(), at(1))
				must(t, err)
				h.filled(t, s)
				h.compare(t, s)
				spoil(t, h, s)
				must(t, h.Announce(t.Context(), r))
				_, err = h.Board(t.Context(), s.merchant, day, 3)
				wantCode(t, err, tracking.CodeNotFound)
				if name == "epoch" {
					_, err := s.RaiseEpoch(t.Context())
					must(t, err)
				}
				h.filled(t, s)
				h.compare(t, s)
			})
		}
	})
	t.Run("ignores deliveries of an earlier epoch", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 3)
		lost, err := s.complete(t.Context(), at(1))
		must(t, err)
		_, err = s.pool.Exec(t.Context(), "DELETE FROM deliveries")
		must(t, err)
		_, err = s.RaiseEpoch(t.Context())
		must(t, err)
		h.filled(t, s)
		must(t, h.Announce(t.Context(), lost))
		h.compare(t, s)
	})
	t.Run("ends by itself, all of it together", func(t *testing.T) {
		t.Parallel()
		h, s := newHot(t), newShop(t, 3)
		h.filled(t, s)
		r, err := s.complete(t.Context(), at(1))
		must(t, err)
		must(t, h.Announce(t.Context(), r))
		order, scores, counted := key.Board(s.merchant, day)
		life := h.client.ExpireTime(t.Context(), order).Val()
		for _, name := range []string{order, scores, counted} {
			if ends := h.client.ExpireTime(t.Context(), name).Val(); ends != life || h.client.TTL(t.Context(), name).Val() < 47*time.Hour {
				t.Errorf("%s lives until %v, the order until %v", name, ends, life)
			}
		}
	})
}

func (h hot) evict(t *testing.T, s *shop, part int) {
	t.Helper()
	order, scores, counted := key.Board(s.merchant, day)
	must(t, h.client.Del(t.Context(), []string{order, scores, counted}[part]).Err())
}

// Deliveries are completed and announced by three nodes, again and again and in any order, while boards and parts of them vanish, and the server is
// killed, with its file or without. Nobody is ever shown more than the truth has; at rest the board is the truth's.
func TestStore_Board_equals_the_truth(t *testing.T) {
	t.Parallel()
	s := newShop(t, 12)
	dir := storetest.Dir(t)
	server := startRedis(t, dir)
	nodes := make([]*boardNode, 3)
	for i := range nodes {
		nodes[i] = newBoardNode(t, s, server.URL())
	}
	var mu sync.Mutex
	var owed, told []tracking.Record
	announce := func(n *boardNode, records ...tracking.Record) {
		if err := n.Announce(t.Context(), records...); err != nil {
			mu.Lock()
			owed = append(owed, records...)
			mu.Unlock()
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for _, n := range nodes {
		working.Go(func() {
			for ctx.Err() == nil {
				r, err := s.complete(ctx, at(float64(rand.N(3600))))
				if ctx.Err() != nil {
					return
				}
				must(t, err)
				announce(n, r)
				mu.Lock()
				told = append(told, r)
				again := told[rand.N(len(told))]
				mu.Unlock()
				announce(nodes[rand.N(len(nodes))], again)
			}
		})
	}
	working.Go(func() {
		for ctx.Err() == nil {
			board, err := nodes[0].board.Best(ctx, s.merchant, day, tracking.MaxStandings)
			if err != nil {
				continue
			}
			most := sum(s.standings(t))
			if shown := sum(board.Standings); shown > most {
				t.Errorf("%d are shown, and only %d were delivered", shown, most)
			}
		}
	})
	order, scores, counted := key.Board(s.merchant, day)
	for round := range 4 {
		n := nodes[0]
		await(t, "there is a hot board", func() bool { _, err := n.Board(t.Context(), s.merchant, day, 1); return err == nil })
		await(t, "more is delivered", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) > (round+1)*60 })
		switch round {
		case 0:
			must(t, n.client.Del(t.Context(), order, scores, counted).Err())
		case 1:
			must(t, n.client.Del(t.Context(), []string{order, scores, counted}[rand.N(3)]).Err())
		case 2:
			server.Kill()
			server = startRedis(t, dir)
		case 3:
			server.Kill()
			file := filepath.Join(dir, "redis", "appendonlydir")
			_, err := os.Stat(file)
			must(t, err)
			must(t, os.RemoveAll(file))
			server = startRedis(t, dir)
		}
	}
	stop()
	working.Wait()
	for len(owed) > 0 {
		records := owed
		owed = nil
		announce(nodes[0], records...)
	}
	for _, n := range nodes {
		await(t, "the hot board is the truth's", func() bool {
			_, _ = n.board.Best(t.Context(), s.merchant, day, 1)
			got, err := n.Board(t.Context(), s.merchant, day, tracking.MaxStandings)
			return err == nil && slices.Equal(got, s.standings(t))
		})
	}
	t.Logf("%d deliveries of 12 couriers", sum(s.standings(t)))
}

func sum(standings []tracking.Standing) (n int) {
	for _, of := range standings {
		n += of.Delivered
	}
	return n
}

// boardNode is a process as far as boards go: a client, a breaker and the use case of its own.
type boardNode struct {
	hot
	board *tracking.Leaderboard
}

func newBoardNode(t *testing.T, s *shop, url string) *boardNode {
	t.Helper()
	n := &boardNode{hot: newHotAt(t, url, redisstore.Config{})}
	probe, err := redisstore.NewProbe(url)
	must(t, err)
	t.Cleanup(probe.Close)
	probe.Tell(n.SetRuns)
	breaker := tracking.NewBreaker("Redis", probe.Ping, tracking.BreakerConfig{Every: 20 * time.Millisecond, Retry: 20 * time.Millisecond}, slog.New(slog.DiscardHandler))
	redisstore.Guard(n.client, breaker)
	n.board = tracking.NewLeaderboard(n.Store, s.Store, n.Store, func() time.Time { return noon.Add(6 * time.Hour) })
	ctx, cancel := context.WithCancel(context.Background())
	var loops sync.WaitGroup
	loops.Go(func() { _ = breaker.Run(ctx) })
	loops.Go(func() { _ = n.board.Run(ctx) })
	t.Cleanup(func() { cancel(); loops.Wait() })
	await(t, "the node knows the server's run", func() bool { return errors.Is(breaker.Allow(), nil) })
	return n
}
