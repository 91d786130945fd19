//go:build linux

package layer_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/cmd/hotfoot/bench/layer"
	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

const secret = "a secret of at least thirty-two bytes"

// staged writes a delivery that is underway with one stop before it, whose courier has reported.
func staged(t *testing.T, url string) tracking.ID {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer db.Close(context.WithoutCancel(t.Context()))
	merchant, courier, delivery, stop := tracking.NewID(), tracking.NewID(), tracking.NewID(), tracking.NewID()
	_, err = db.Exec(t.Context(), `
WITH m AS (INSERT INTO merchants (id, name, visible_stops, created_at) VALUES ($1, 'Corner Kitchen', 2, now()) RETURNING id),
c AS (INSERT INTO couriers (id, merchant_id, name, vehicle, on_duty, created_at) SELECT $2, id, 'Sam', 'bike', true, now() FROM m RETURNING id, merchant_id)
INSERT INTO deliveries (id, merchant_id, status, ver, courier_id, route_order, stops_before, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, created_at, updated_at)
SELECT d.id, c.merchant_id, 'en_route', 2, c.id, d.place, d.place - 1, 37.78, -122.41, 37.79, -122.40, now(), now()
FROM c, (VALUES ($3::uuid, 2), ($4::uuid, 1)) d(id, place)`, merchant, courier, delivery, stop)
	must(t, err)
	_, err = db.Exec(t.Context(), `INSERT INTO delivery_events (delivery_id, ver, status, at, actor_kind, reason)
VALUES ($1, 2, 'en_route', now(), 'courier', 'on my way'), ($1, 1, 'created', now(), 'merchant', '')`, delivery)
	must(t, err)
	_, err = db.Exec(t.Context(), `SELECT ensure_position_partitions(current_date - 1, current_date + 1)`)
	must(t, err)
	_, err = db.Exec(t.Context(), `INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon, speed_mps)
SELECT $1, now() - n * interval '1 s', now(), 37.7 + n / 100.0, -122.4, 5.5 FROM generate_series(1, 3) n`, courier)
	must(t, err)
	return delivery
}

// layers are those over Postgres.
func layers(t *testing.T, url string) map[string]layer.Assemble {
	t.Helper()
	db, err := pgxpool.New(context.Background(), url)
	must(t, err)
	t.Cleanup(db.Close)
	return map[string]layer.Assemble{"one query": layer.OneQuery(db), "a query for each part": layer.PerPart(db)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestServer_answersASnapshot(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	delivery := staged(t, url)
	linker, err := tracking.NewLinker([]byte(secret))
	must(t, err)
	for name, assemble := range layers(t, url) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := layer.New(secret, assemble, slog.New(slog.DiscardHandler))
			must(t, err)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			var running sync.WaitGroup
			running.Go(func() {
				if err := server.Run(ctx, listener); err != nil {
					t.Error(err)
				}
			})
			defer running.Wait()
			defer stop()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			get := func(token string) (status int, body []byte) {
				t.Helper()
				answer, err := client.Get("http://" + listener.Addr().String() + "/v1/track/" + token)
				must(t, err)
				defer answer.Body.Close()
				body, err = io.ReadAll(answer.Body)
				must(t, err)
				return answer.StatusCode, body
			}
			status, body := get(linker.Token(delivery, 0))
			var got struct {
				Status      string
				Ver         int64
				StopsBefore int `json:"stops_before"`
				Visible     bool
				Position    struct {
					Lat   float64
					Speed float64 `json:"speed_mps"`
				}
				ETA      struct{ At time.Time }
				Events   []struct{ Reason string }
				Courier  struct{ Name string }
				Merchant struct{ Name string }
			}
			must(t, json.Unmarshal(body, &got))
			if status != http.StatusOK || got.Status != "en_route" || got.Ver != 2 || got.StopsBefore != 1 || !got.Visible || got.Position.Lat != 37.71 ||
				got.Position.Speed != 5.5 || got.ETA.At.IsZero() || len(got.Events) != 2 || got.Events[1].Reason != "on my way" ||
				got.Courier.Name != "Sam" || got.Merchant.Name != "Corner Kitchen" {
				t.Errorf("%d: %s", status, body)
			}
			for what, token := range map[string]string{
				"a revoked link": linker.Token(delivery, 1), "an unknown delivery": linker.Token(tracking.NewID(), 0), "a forged link": "x",
			} {
				if status, body := get(token); status != http.StatusNotFound {
					t.Errorf("%s is answered with %d: %s", what, status, body)
				}
			}
		})
	}
}

func TestAssemble_withoutACourier(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	delivery := staged(t, url)
	db, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer db.Close(context.WithoutCancel(t.Context()))
	_, err = db.Exec(t.Context(), `UPDATE deliveries SET courier_id = NULL, status = 'created' WHERE id = $1`, delivery)
	must(t, err)
	for name, assemble := range layers(t, url) {
		record, newest, err := assemble(t.Context(), delivery)
		if err != nil || newest != nil || !record.Courier.ID.IsZero() || len(record.Events) != 2 {
			t.Errorf("%s: %+v, %v, %v", name, record, newest, err)
		}
		if _, _, err := assemble(t.Context(), tracking.NewID()); tracking.CodeOf(err) != tracking.CodeNotFound {
			t.Errorf("%s: an unknown delivery is %v", name, err)
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	client, err := redisstore.Connect(storetest.RedisURL(t))
	must(t, err)
	defer client.Close()
	assemble := layer.Hash(client)
	now := time.Now().UTC().Truncate(time.Millisecond)
	courier := tracking.Courier{ID: tracking.NewID(), MerchantID: tracking.NewID(), Name: "Sam", Vehicle: "bike", OnDuty: true, Rev: 1}
	record := tracking.Record{
		Delivery: tracking.Delivery{
			ID: tracking.NewID(), MerchantID: courier.MerchantID, CourierID: courier.ID, Status: tracking.EnRoute, Ver: 1, Rev: 1, CreatedAt: now, UpdatedAt: now,
		},
		Courier: courier, Merchant: tracking.Merchant{ID: courier.MerchantID, Name: "Corner Kitchen", VisibleStops: 2}, Epoch: 1,
	}
	if _, _, err := assemble(t.Context(), record.Delivery.ID); tracking.CodeOf(err) != tracking.CodeUnavailable {
		t.Errorf("what is not hot is read as %v", err)
	}
	store := redisstore.New(client, struct{ redisstore.Truth }{}, redisstore.Config{}) // whose truth is never asked
	must(t, store.KeepCourier(t.Context(), courier))
	must(t, store.Announce(t.Context(), record))
	fix := tracking.Position{RecordedAt: now, Lat: 37.7, Lon: -122.4}
	_, err = store.Place(t.Context(), tracking.Placement{
		MerchantID: courier.MerchantID, Batch: tracking.Batch{CourierID: courier.ID, ReceivedAt: now, Fixes: []tracking.Fix{{Position: fix}}},
	})
	must(t, err)
	got, newest, err := assemble(t.Context(), record.Delivery.ID)
	if err != nil || got.Merchant.Name != "Corner Kitchen" || newest == nil || newest.Lat != 37.7 {
		t.Errorf("got %+v, %+v, %v", got, newest, err)
	}
}
