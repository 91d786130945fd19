package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Should a bug above let nonsense through, the schema refuses it by name. NaN is the trap: Postgres orders it above every number.
func TestSchema_refuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	r := s.create(t, s.courier)
	must(t, s.EnsurePartitions(t.Context(), now(), now()))
	const position = `INSERT INTO positions (courier_id, recorded_at, received_at, lat, lon, `
	for sql, constraint := range map[string]string{
		`UPDATE deliveries SET pickup_lat = 'NaN'`:                                     "delivery_pickup_on_earth",
		`UPDATE deliveries SET pickup_lon = 180.1`:                                     "delivery_pickup_on_earth",
		`UPDATE deliveries SET dropoff_lat = -90.1`:                                    "delivery_dropoff_on_earth",
		`UPDATE deliveries SET dropoff_lon = 'NaN'`:                                    "delivery_dropoff_on_earth",
		`UPDATE deliveries SET dropoff_lon = 'Infinity'`:                               "delivery_dropoff_on_earth",
		`UPDATE deliveries SET status = 'lost'`:                                        "delivery_status_known",
		`UPDATE deliveries SET ver = 0`:                                                "delivery_ver_positive",
		`UPDATE deliveries SET courier_id = NULL`:                                      "delivery_courier_unless_created",
		`UPDATE deliveries SET finished_at = now()`:                                    "delivery_finished_when_final",
		`UPDATE deliveries SET status = 'delivered'`:                                   "delivery_finished_when_final",
		`UPDATE deliveries SET window_from = now(), window_to = now() - interval '1s'`: "delivery_window_ordered",
		`UPDATE deliveries SET link_gen = 256`:                                         "delivery_link_gen_one_byte",
		`UPDATE deliveries SET note = repeat('x', 2001)`:                               "delivery_note_length",
		`UPDATE delivery_events SET lat = 'NaN', lon = 0`:                              "event_on_earth",
		`UPDATE delivery_events SET client_event_id = 'x'`:                             "event_client_id_with_hash",
		`UPDATE delivery_events SET actor_kind = 'robot'`:                              "event_actor_known",
		`UPDATE couriers SET vehicle = 'rocket'`:                                       "courier_vehicle_known",
		`UPDATE couriers SET name = ''`:                                                "courier_name_length",
		`UPDATE merchants SET visible_stops = -1`:                                      "merchant_visible_stops_range",
		`UPDATE merchants SET visible_from = 'picked_up'`:                              "merchant_visible_from_known",
		`UPDATE merchants SET rounding_m = 49`:                                         "merchant_rounding_range",
		`UPDATE merchants SET delay_s = 301`:                                           "merchant_delay_range",
		`UPDATE couriers SET hidden_zones = '{1,2}'`:                                   "courier_hidden_zones_valid",
		`UPDATE couriers SET hidden_zones = '{1,2,49}'`:                                "courier_hidden_zones_valid",
		`UPDATE couriers SET hidden_zones = '{1,2,50,NaN,2,50}'`:                       "courier_hidden_zones_valid",
		`UPDATE couriers SET hidden_zones = array_fill(60.0::float8, ARRAY[18])`:       "courier_hidden_zones_valid",
		`UPDATE api_keys SET hash = 'short'`:                                           "api_key_hash_is_sha256",
		`UPDATE api_keys SET courier_id = NULL`:                                        "api_key_courier_for_courier_role",
		`INSERT INTO epoch (one, epoch) VALUES (false, 2)`:                             "epoch_single_row",
		`UPDATE epoch SET epoch = 0`:                                                   "epoch_positive",
		position + `accuracy_m) VALUES (gen_random_uuid(), now(), now(), 'NaN', 0, 1)`: "position_on_earth",
		position + `accuracy_m) VALUES (gen_random_uuid(), now(), now(), 0, 0, 'NaN')`: "position_accuracy_range",
		position + `suspect) VALUES (gen_random_uuid(), now(), now(), 0, 0, 0)`:        "position_suspect_known",
		position + `suspect) VALUES (gen_random_uuid(), now(), now(), 0, 1, 6)`:        "position_suspect_known",
		position + `speed_mps) VALUES (gen_random_uuid(), now(), now(), 0, 0, 'NaN')`:  "position_speed_range",
		position + `heading_deg) VALUES (gen_random_uuid(), now(), now(), 0, 0, 361)`:  "position_heading_range",
		position + `altitude_m) VALUES (gen_random_uuid(), now(), now(), 0, 0, 'NaN')`: "position_altitude_range",
		position + `battery) VALUES (gen_random_uuid(), now(), now(), 0, 0, 1.01)`:     "position_battery_range",
	} {
		_, err := s.pool.Exec(t.Context(), sql)
		refused, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || refused.ConstraintName != constraint {
			t.Errorf("%s: got %v, want %s", strings.TrimPrefix(sql, position), err, constraint)
		}
	}
	if after, err := s.Record(t.Context(), r.Delivery.ID); err != nil || after.Delivery.Rev != r.Delivery.Rev {
		t.Errorf("it has become %+v, %v", after, err)
	}
}
