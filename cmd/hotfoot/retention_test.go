package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

func TestNodeFlags_retention(t *testing.T) {
	t.Parallel()
	for _, days := range []struct {
		positions, deliveries int
		fit                   bool
	}{{90, 180, true}, {0, 0, true}, {16, 8, true}, {15, 180, false}, {90, 7, false}, {-1, 180, false}, {90, -1, false}} {
		f := validFlags()
		f.KeepPositions, f.KeepDeliveries = days.positions, days.deliveries
		if err := f.validate(); (err == nil) != days.fit {
			t.Errorf("%+v: %v", days, err)
		}
	}
}

// hot opens the deployment's Redis.
func (d *deployment) hot() *redis.Client {
	d.t.Helper()
	var url string
	for _, setting := range d.env {
		if value, ok := strings.CutPrefix(setting, "REDIS_URL="); ok {
			url = value
		}
	}
	options, err := redis.ParseURL(url)
	must(d.t, err)
	client := redis.NewClient(options)
	d.t.Cleanup(func() { _ = client.Close() })
	return client
}

// keys are all that there are in a Redis.
func keysOf(t *testing.T, client *redis.Client) (names []string) {
	t.Helper()
	for each := client.Scan(t.Context(), 0, "*", 1000).Iterator(); each.Next(t.Context()); {
		names = append(names, each.Val())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (d *deployment) count(sql string, args ...any) (n int) {
	d.t.Helper()
	must(d.t, d.pool.QueryRow(d.t.Context(), sql, args...).Scan(&n))
	return n
}

func awaitThat(t *testing.T, what string, is func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !is(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("it is not so that %s", what)
		}
	}
}

// A delivery runs its course, the clock goes on, and what was kept goes when its time has come and not before.
func TestRetention_by_time(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	node, client := d.start("api,worker"), d.hot()
	s := d.stage(node.url)
	began := time.Now().UTC()
	points := []object{}
	for i := range 20 {
		points = append(points, object{"seq": i + 1, "recorded_at": began.Add(time.Duration(i-20) * time.Second).Format(time.RFC3339Nano), "lat": 37.7812 + float64(i)*1e-4, "lon": -122.4112})
	}
	call(t, "POST", node.url+"/v1/courier/positions", s.courierKey, object{"session": "a", "positions": points}, nil, 202)
	for _, status := range []string{"picked_up", "en_route", "arriving", "delivered"} {
		s.report(t, node.url, status, status)
	}
	call(t, "GET", node.url+"/v1/deliveries/"+s.deliveryID, d.merchantKey, nil, nil, 200)
	store := postgres.New(d.pool, nil)
	_, err := store.Bury(t.Context(), tracking.DeadLetter{ID: tracking.NewID(), Entry: "x 1-0", Payload: []byte("nonsense"), BuriedAt: began})
	must(t, err)
	awaitThat(t, "all positions are stored", func() bool { return d.count("SELECT count(*) FROM positions") == 20 })

	t.Run("everything in Redis that is of anybody expires", func(t *testing.T) {
		for _, name := range keysOf(t, client) {
			// -2 is one that has expired since, as a limit does that is full again.
			if life := client.TTL(t.Context(), name).Val(); life == -1 && key.Kind(name) != "positions" {
				t.Errorf("%s lives for ever", name)
			} else if life > 62*24*time.Hour {
				t.Errorf("%s lives for %v", name, life)
			}
		}
		for p := range key.Partitions {
			if n := client.XLen(t.Context(), key.Positions(p)).Val(); n != 0 {
				t.Errorf("%d entries are left in the stream of partition %d", n, p)
			}
		}
	})
	id, err := tracking.ParseID(s.deliveryID)
	must(t, err)
	later := func(days int) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		hot := redisstore.New(client, store, redisstore.Config{})
		config := tracking.RetentionConfig{PositionDays: 90, DeliveryDays: 180, Every: time.Hour}
		done := make(chan struct{})
		retention := tracking.NewRetention(store, hot, locked{hot, done}, config, func() time.Time { return began.AddDate(0, 0, days) }, slog.New(slog.DiscardHandler))
		ended := make(chan error, 1)
		go func() { ended <- retention.Run(ctx) }()
		<-done
		stop()
		must(t, <-ended)
	}
	days := func() int {
		return d.count("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '^positions_[0-9]{8}$' AND relname <= $1", "positions_"+began.Format("20060102"))
	}
	kept := func() [5]int {
		return [5]int{
			min(days(), 1), d.count("SELECT count(*) FROM positions"), d.count("SELECT count(*) FROM dead_letters"),
			d.count("SELECT count(*) FROM deliveries WHERE redacted_at IS NULL"), int(client.Exists(t.Context(), key.Delivery(id)).Val()),
		}
	}
	for _, step := range []struct {
		days int
		want [5]int
	}{{89, [5]int{1, 20, 1, 1, 1}}, {92, [5]int{0, 0, 0, 1, 1}}, {181, [5]int{0, 0, 0, 0, 0}}} {
		later(step.days)
		if got := kept(); got != step.want {
			t.Errorf("after %d days there are %v days, positions, dead letters, deliveries with people and their copies, want %v", step.days, got, step.want)
		}
	}
	var answer struct {
		Status  string
		Dropoff struct {
			Lat     float64
			Address string
		}
	}
	call(t, "GET", node.url+"/v1/deliveries/"+s.deliveryID, d.merchantKey, nil, &answer, 200)
	if answer.Status != "delivered" || answer.Dropoff.Lat != 0 || answer.Dropoff.Address != "" {
		t.Errorf("the merchant is told %+v", answer)
	}
}

// locked tells when the first lease has been given back.
type locked struct {
	tracking.Locks
	done chan struct{}
}

func (l locked) Release(ctx context.Context, lease tracking.Lease) error {
	defer close(l.done)
	return l.Locks.Release(ctx, lease)
}
