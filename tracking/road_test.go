package tracking

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var legs = rapid.Custom(func(t *rapid.T) Leg {
	spot := func(name string) Spot {
		return Spot{rapid.Float64Range(-90, 90).Draw(t, name+" lat"), rapid.Float64Range(-180, 180).Draw(t, name+" lon")}
	}
	return Leg{rapid.SampledFrom(Vehicles).Draw(t, "vehicle"), spot("from"), spot("to")}
})

func TestLeg(t *testing.T) {
	t.Parallel()
	t.Run("is the same question wherever in a cell of the grid its ends are", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			leg := legs.Draw(t, "leg").onGrid()
			moved := leg
			for _, v := range []*float64{&moved.From.Lat, &moved.From.Lon, &moved.To.Lat, &moved.To.Lon} {
				*v += rapid.Float64Range(-0.00004, 0.00004).Draw(t, "by")
			}
			if moved.onGrid() != leg || moved.digest("r") != leg.digest("r") || leg.onGrid() != leg {
				t.Fatalf("%v is %v on the grid, want %v", moved, moved.onGrid(), leg)
			}
			if off := DistanceM(leg.From.Lat, leg.From.Lon, moved.From.Lat, moved.From.Lon); off > 8 {
				t.Fatalf("the grid moves a place by %v m", off)
			}
		})
	})
	t.Run("is another for another end, direction, vehicle or router", func(t *testing.T) {
		t.Parallel()
		leg := Leg{Bike, Spot{37.7812, -122.4112}, Spot{37.7893, -122.4010}}
		seen := map[[32]byte]bool{leg.digest("r"): true}
		for _, change := range []func(l *Leg){
			func(l *Leg) { l.From.Lat += 0.0001 },
			func(l *Leg) { l.From.Lon += 0.0001 },
			func(l *Leg) { l.To.Lat += 0.0001 },
			func(l *Leg) { l.To.Lon += 0.0001 },
			func(l *Leg) { l.From, l.To = l.To, l.From },
			func(l *Leg) { l.Vehicle = Car },
		} {
			other := leg
			change(&other)
			if seen[other.digest("r")] {
				t.Errorf("%v is known already", other)
			}
			seen[other.digest("r")] = true
		}
		if seen[leg.digest("r#2")] || seen[leg.digest("")] {
			t.Error("another router's answer is taken for this one's")
		}
	})
	t.Run("the 180th meridian and zero have one spelling", func(t *testing.T) {
		t.Parallel()
		east, west := Leg{Car, Spot{0, 180}, Spot{1, 1}}, Leg{Car, Spot{math.Copysign(0, -1), -180}, Spot{1, 1}}
		if east.onGrid() != west.onGrid() || east.digest("r") != west.digest("r") {
			t.Errorf("%v and %v", east.onGrid(), west.onGrid())
		}
	})
}

func FuzzDecodeFound(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(found{}.encode())
	f.Add(found{road: Road{1234.5, time.Minute}, ok: true}.encode())
	f.Add([]byte("\x02................"))
	f.Fuzz(func(t *testing.T, b []byte) {
		known, ok := decodeFound(b)
		if !ok {
			return
		}
		if known.ok && (!(known.road.DistanceM >= 0) || math.IsInf(known.road.DistanceM, 1) || known.road.Duration < 0) {
			t.Fatalf("%x is %v", b, known.road)
		}
		if again := string(known.encode()); again != string(b) {
			t.Fatalf("%x is written as %x", b, again)
		}
	})
}

// shelf is Results in memory.
type shelf struct {
	mu    sync.Mutex
	kept  map[[32]byte][]byte
	lives map[[32]byte]time.Duration
	away  bool
}

func newShelf() *shelf {
	return &shelf{kept: map[[32]byte][]byte{}, lives: map[[32]byte]time.Duration{}}
}

func (s *shelf) Result(_ context.Context, _ string, input [32]byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, Unavailable("Redis", nil)
	}
	if b, ok := s.kept[input]; ok {
		return b, nil
	}
	return nil, Errorf(CodeNotFound, "none")
}

func (s *shelf) KeepResult(_ context.Context, _ string, input [32]byte, value []byte, life time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return Unavailable("Redis", nil)
	}
	s.kept[input], s.lives[input] = value, life
	return nil
}

// routerFunc is a Router that counts its questions.
type routerFunc struct {
	asked atomic.Int64
	road  func(context.Context, Leg) (Road, error)
}

func (r *routerFunc) Name() string { return "router" }

func (r *routerFunc) Road(ctx context.Context, l Leg) (Road, error) {
	r.asked.Add(1)
	return r.road(ctx, l)
}

// newTestRoads also counts answers by where they came from.
func newTestRoads(t *testing.T, router Router, s *shelf) (*Roads, map[Answered]int) {
	t.Helper()
	var mu sync.Mutex
	count := map[Answered]int{}
	u := NewRoads(router, s, RoadsConfig{OnAnswer: func(from Answered) { mu.Lock(); count[from]++; mu.Unlock() }})
	t.Cleanup(u.aloft.close)
	return u, count
}

var down = Leg{Bike, Spot{37.7812, -122.4112}, Spot{37.7893, -122.4010}}

func TestRoads(t *testing.T) {
	t.Parallel()
	long := Road{2345, 8 * time.Minute}
	t.Run("looks a way up once, however it is written, and keeps it", func(t *testing.T) {
		t.Parallel()
		router := &routerFunc{road: func(_ context.Context, l Leg) (Road, error) {
			if l != down {
				t.Errorf("it is asked for %v", l)
			}
			return long, nil
		}}
		s := newShelf()
		u, count := newTestRoads(t, router, s)
		for _, by := range []float64{0, 0.00001, -0.00004} {
			leg := down
			leg.From.Lat += by
			leg.To.Lon -= by
			if got, err := u.Travel(t.Context(), leg); err != nil || got != (Travel{long, ByRoad}) {
				t.Errorf("got %v, %v", got, err)
			}
		}
		if router.asked.Load() != 1 || count[AnsweredRouter] != 1 || count[AnsweredKept] != 2 || s.lives[down.digest("router")] != roadLife {
			t.Errorf("the router was asked %d times, answers %v, lives %v", router.asked.Load(), count, s.lives)
		}
	})
	t.Run("a hundred who ask together share one question", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			router := &routerFunc{road: func(context.Context, Leg) (Road, error) {
				time.Sleep(500 * time.Millisecond) // in the bubble's time, which passes when all of them wait
				return long, nil
			}}
			u, _ := newTestRoads(t, router, newShelf())
			var asking sync.WaitGroup
			for range 100 {
				asking.Go(func() {
					if got, err := u.Travel(t.Context(), down); err != nil || got.Basis != ByRoad {
						t.Errorf("got %v, %v", got, err)
					}
				})
			}
			asking.Wait()
			if n := router.asked.Load(); n != 1 {
				t.Errorf("it was asked %d times", n)
			}
		})
	})
	t.Run("estimates without a router, at the vehicle's pace", func(t *testing.T) {
		t.Parallel()
		u, _ := newTestRoads(t, nil, newShelf())
		got, err := u.Travel(t.Context(), down)
		straight := DistanceM(down.From.Lat, down.From.Lon, down.To.Lat, down.To.Lon)
		if err != nil || got.Basis != ByEstimate || math.Abs(got.DistanceM-straight*detour) > 0.01 || got.Duration != time.Duration(got.DistanceM/Bike.Pace()*float64(time.Second)) {
			t.Errorf("got %v, %v; the straight line is %v m", got, err, straight)
		}
	})
	t.Run("estimates while the router is away, and asks it again", func(t *testing.T) {
		t.Parallel()
		router := &routerFunc{road: func(context.Context, Leg) (Road, error) { return Road{}, Unavailable("the routing server", nil) }}
		s := newShelf()
		u, count := newTestRoads(t, router, s)
		for range 3 {
			if got, err := u.Travel(t.Context(), down); err != nil || got.Basis != ByEstimate {
				t.Errorf("got %v, %v", got, err)
			}
		}
		if router.asked.Load() != 3 || len(s.kept) != 0 || count[AnsweredEstimated] != 3 {
			t.Errorf("asked %d times, kept %v, answers %v", router.asked.Load(), s.kept, count)
		}
	})
	t.Run("remembers for a moment that there is no road", func(t *testing.T) {
		t.Parallel()
		router := &routerFunc{road: func(context.Context, Leg) (Road, error) { return Road{}, Errorf(CodeNotFound, "none") }}
		s := newShelf()
		u, _ := newTestRoads(t, router, s)
		for range 3 {
			if got, err := u.Travel(t.Context(), down); err != nil || got.Basis != ByEstimate {
				t.Errorf("got %v, %v", got, err)
			}
		}
		if router.asked.Load() != 1 || s.lives[down.digest("router")] != noneLife {
			t.Errorf("asked %d times, lives %v", router.asked.Load(), s.lives)
		}
	})
	t.Run("does without what is kept, and mends what cannot be read", func(t *testing.T) {
		t.Parallel()
		router := &routerFunc{road: func(context.Context, Leg) (Road, error) { return long, nil }}
		s := newShelf()
		u, _ := newTestRoads(t, router, s)
		s.away = true
		if got, err := u.Travel(t.Context(), down); err != nil || got.Road != long {
			t.Errorf("got %v, %v", got, err)
		}
		s.away = false
		s.kept[down.digest("router")] = []byte("nonsense")
		if got, err := u.Travel(t.Context(), down); err != nil || got.Road != long {
			t.Errorf("got %v, %v", got, err)
		}
		if kept := s.kept[down.digest("router")]; len(kept) != 17 {
			t.Errorf("kept is %x", kept)
		}
	})
	t.Run("waits for a router no longer than it may, and keeps what comes later", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			router := &routerFunc{road: func(context.Context, Leg) (Road, error) {
				time.Sleep(roadLimit - time.Millisecond) // in the bubble's time
				return long, nil
			}}
			u, _ := newTestRoads(t, router, newShelf())
			began := time.Now()
			if got, err := u.Travel(t.Context(), down); err != nil || got.Basis != ByEstimate || time.Since(began) != roadPatience {
				t.Errorf("got %v, %v after %v", got, err, time.Since(began))
			}
			time.Sleep(roadLimit) // in the bubble's time
			if got, err := u.Travel(t.Context(), down); err != nil || got.Basis != ByRoad || router.asked.Load() != 1 {
				t.Errorf("then %v, %v", got, err)
			}
		})
	})
	t.Run("refuses what is no place or no vehicle", func(t *testing.T) {
		t.Parallel()
		u, _ := newTestRoads(t, nil, newShelf())
		for field, leg := range map[string]Leg{
			"vehicle": {"rocket", down.From, down.To}, "from.lat": {Car, Spot{91, 0}, down.To}, "from.lon": {Car, Spot{0, math.NaN()}, down.To},
			"to.lat": {Car, down.From, Spot{math.NaN(), 0}}, "to.lon": {Car, down.From, Spot{0, 181}},
		} {
			if _, err := u.Travel(t.Context(), leg); CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
}
