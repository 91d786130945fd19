package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"hotfoot/tracking"
)

func TestServer_Deliveries_create(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.hire(t, s.tenant, "Sam")
	t.Run("answers the whole delivery, with its link", func(t *testing.T) {
		t.Parallel()
		sent := with(draft(), "external_id", "order-1042", "note", "ring twice <3",
			"recipient", object{"name": "Noor", "phone": "+1 415 555 0100"},
			"window", object{"from": "2026-03-04T18:10:00Z", "to": "2026-03-04T19:40:00.5+01:00"})
		a := s.do(t, "POST", "/v1/deliveries", s.merchant, sent)
		d := a.want(t, 201)
		names := slices.Sorted(maps.Keys(d))
		want := strings.Fields("courier courier_id created_at dropoff epoch external_id finished_at id note pickup recipient status " +
			"stops_before tracking_token tracking_url updated_at ver window")
		if !slices.Equal(names, want) {
			t.Errorf("fields %v, want %v", names, want)
		}
		if d["status"] != "created" || d["ver"] != 1.0 || d["epoch"] != 1.0 || d["external_id"] != "order-1042" || d["note"] != "ring twice <3" {
			t.Errorf("got %s", a.body)
		}
		if d["courier"] != nil || d["courier_id"] != nil || d["stops_before"] != nil || d["finished_at"] != nil {
			t.Errorf("what is not there must be null: %s", a.body)
		}
		if w := d["window"].(object); w["from"] != "2026-03-04T18:10:00.000Z" || w["to"] != "2026-03-04T18:40:00.500Z" {
			t.Errorf("window %v, want UTC with milliseconds", w)
		}
		if d["tracking_url"] != "https://track.example/t/"+text(d["tracking_token"]) {
			t.Errorf("tracking_url %v for token %v", d["tracking_url"], d["tracking_token"])
		}
		if strings.Contains(text(d["tracking_token"]), strings.ReplaceAll(text(d["id"]), "-", "")) {
			t.Error("the token shows the delivery's id")
		}
	})
	t.Run("assigns at once when it names a courier", func(t *testing.T) {
		t.Parallel()
		d := s.deliver(t, sam.id)
		if d["status"] != "assigned" || d["ver"] != 2.0 || d["courier_id"] != sam.id || d["courier"].(object)["name"] != "Sam" || d["stops_before"] == nil {
			t.Errorf("got %v", d)
		}
	})
	t.Run("takes a place at latitude and longitude 0", func(t *testing.T) {
		t.Parallel()
		d := s.do(t, "POST", "/v1/deliveries", s.ops, with(draft(), "dropoff", object{"lat": 0, "lon": 0.0})).want(t, 201)
		if p := d["dropoff"].(object); p["lat"] != 0.0 || p["lon"] != 0.0 {
			t.Errorf("dropoff %v, want 0, 0", p)
		}
	})
	t.Run("refuses an external_id that is taken, naming it", func(t *testing.T) {
		t.Parallel()
		sent := with(draft(), "external_id", "twice")
		s.do(t, "POST", "/v1/deliveries", s.merchant, sent).want(t, 201)
		at(t, s.do(t, "POST", "/v1/deliveries", s.merchant, sent).refused(t, 409, tracking.CodeConflict), "external_id")
		other := s.newTenant(t, "Another kitchen")
		s.do(t, "POST", "/v1/deliveries", other.merchant, sent).want(t, 201)
	})
	t.Run("refuses a courier of another merchant, and one that does not exist, alike", func(t *testing.T) {
		t.Parallel()
		stranger := s.hire(t, s.newTenant(t, "Somebody else"), "Max")
		theirs := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "courier_id", stranger.id))
		nobody := s.do(t, "POST", "/v1/deliveries", s.merchant, with(draft(), "courier_id", tracking.NewID().String()))
		at(t, theirs.refused(t, 422, tracking.CodeInvalid), "courier_id")
		if string(theirs.body) != string(nobody.body) {
			t.Errorf("told apart: %s and %s", theirs.body, nobody.body)
		}
	})
}

func TestServer_Deliveries_idempotency(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	create := func(t *testing.T, body any, key string) answer {
		return s.do(t, "POST", "/v1/deliveries", s.merchant, body, "Idempotency-Key: "+key)
	}
	t.Run("the same key and body again answers the same delivery", func(t *testing.T) {
		t.Parallel()
		first, second := create(t, draft(), "a").want(t, 201), create(t, draft(), "a").want(t, 201)
		if first["id"] != second["id"] || first["tracking_token"] != second["tracking_token"] {
			t.Errorf("first %v, then %v", first["id"], second["id"])
		}
	})
	t.Run("the same body with its keys in another order is the same body", func(t *testing.T) {
		t.Parallel()
		one := create(t, `{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4}}`, "order").want(t, 201)
		two := create(t, ` {"dropoff":{"lon":4.0,"lat":3},"pickup":{"lat":1,"lon":2}}`, "order").want(t, 201)
		if one["id"] != two["id"] {
			t.Error("two deliveries were made")
		}
	})
	t.Run("the same key with another body is refused", func(t *testing.T) {
		t.Parallel()
		create(t, draft(), "b").want(t, 201)
		create(t, with(draft(), "note", "other"), "b").refused(t, 409, tracking.CodeIdempotencyUsed)
	})
	t.Run("another merchant's same key is another key", func(t *testing.T) {
		t.Parallel()
		other := s.newTenant(t, "Another kitchen")
		mine := create(t, draft(), "c").want(t, 201)
		theirs := s.do(t, "POST", "/v1/deliveries", other.merchant, draft(), "Idempotency-Key: c").want(t, 201)
		if mine["id"] == theirs["id"] {
			t.Error("one merchant was answered another's delivery")
		}
	})
	t.Run("a refused request does not use its key up", func(t *testing.T) {
		t.Parallel()
		create(t, with(draft(), "courier_id", tracking.NewID().String()), "d").refused(t, 422, tracking.CodeInvalid)
		create(t, draft(), "d").want(t, 201)
	})
	t.Run("a key that cannot be stored is refused", func(t *testing.T) {
		t.Parallel()
		create(t, draft(), strings.Repeat("k", 201)).refused(t, 422, tracking.CodeInvalid)
		create(t, draft(), "\xff").refused(t, 422, tracking.CodeInvalid)
		create(t, draft(), strings.Repeat("k", 200)).want(t, 201)
	})
	t.Run("requests that race make one delivery", func(t *testing.T) {
		t.Parallel()
		ids := make([]string, 8)
		var wait sync.WaitGroup
		for i := range ids {
			wait.Go(func() {
				if a := create(t, draft(), "race"); a.status == 201 {
					ids[i] = text(a.object(t)["id"])
				} else {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			})
		}
		wait.Wait()
		if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
			t.Errorf("made several: %v", ids)
		}
	})
}

func TestServer_Deliveries_read(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	sam := s.onDuty(t)
	d := s.deliver(t, sam.id)
	path := "/v1/deliveries/" + text(d["id"])
	t.Run("a delivery is answered as it was made", func(t *testing.T) {
		t.Parallel()
		got := s.do(t, "GET", path, s.ops, nil).want(t, 200)
		if fmt.Sprint(got) != fmt.Sprint(d) {
			t.Errorf("got  %v\nmade %v", got, d)
		}
	})
	t.Run("its events are in order, with who did what", func(t *testing.T) {
		t.Parallel()
		events := items(t, s.do(t, "GET", path+"/events", s.merchant, nil).want(t, 200))
		if len(events) != 2 || events[0]["status"] != "created" || events[0]["ver"] != 1.0 || events[1]["status"] != "assigned" || events[1]["ver"] != 2.0 {
			t.Fatalf("events %v", events)
		}
		if events[1]["courier_id"] != sam.id || events[1]["actor"].(object)["kind"] != "merchant" {
			t.Errorf("event %v", events[1])
		}
	})
	for _, path := range []string{path, path + "/events", path + "/track"} {
		t.Run("GET "+strings.Replace(path, text(d["id"]), "{id}", 1)+" knows nothing of others' deliveries", func(t *testing.T) {
			t.Parallel()
			theirs := s.do(t, "GET", path, other.merchant, nil)
			theirs.refused(t, 404, tracking.CodeNotFound)
			for _, id := range []string{tracking.NewID().String(), "7", "%00", strings.ToUpper(text(d["id"])) + "x"} {
				none := s.do(t, "GET", strings.Replace(path, text(d["id"]), id, 1), other.merchant, nil)
				if none.status != 404 || string(none.body) != string(theirs.body) {
					t.Errorf("id %s is told apart: %d %s", id, none.status, none.body)
				}
			}
		})
	}
}

func TestServer_Deliveries_list(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	s.do(t, "POST", "/v1/deliveries", other.merchant, draft()).want(t, 201)
	sam, max := s.hire(t, s.tenant, "Sam"), s.hire(t, s.tenant, "Max")
	var made []string
	for i := range 7 {
		made = append(made, text(s.deliver(t, []string{"", sam.id, max.id}[i%3])["id"]))
	}
	slices.Reverse(made)
	list := func(t *testing.T, query string) object {
		t.Helper()
		return s.do(t, "GET", "/v1/deliveries"+query, s.merchant, nil).want(t, 200)
	}
	ids := func(t *testing.T, page object) (ids []string) {
		for _, d := range items(t, page) {
			ids = append(ids, text(d["id"]))
		}
		return ids
	}
	t.Run("lists the merchant's own, newest first, without a cursor at the end", func(t *testing.T) {
		t.Parallel()
		page := list(t, "")
		if got := ids(t, page); !slices.Equal(got, made) {
			t.Errorf("got %v, want %v", got, made)
		}
		if cursor, there := page["next_cursor"]; !there || cursor != nil {
			t.Errorf("next_cursor %v, want null", cursor)
		}
	})
	for _, limit := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprintf("pages of %d come together to the whole list", limit), func(t *testing.T) {
			t.Parallel()
			var got []string
			query := fmt.Sprintf("?limit=%d", limit)
			for {
				page := list(t, query)
				got = append(got, ids(t, page)...)
				if page["next_cursor"] == nil {
					break
				}
				if len(items(t, page)) != limit {
					t.Fatalf("a page of %d items", len(items(t, page)))
				}
				query = fmt.Sprintf("?limit=%d&cursor=%s", limit, page["next_cursor"])
			}
			if !slices.Equal(got, made) {
				t.Errorf("got %v, want %v", got, made)
			}
		})
	}
	t.Run("narrows by status and courier", func(t *testing.T) {
		t.Parallel()
		for query, want := range map[string]int{
			"?status=created": 3, "?status=assigned": 4, "?status=created,assigned": 7, "?status=delivered": 0,
			"?courier_id=" + sam.id: 2, "?courier_id=" + sam.id + "&status=assigned": 2, "?courier_id=" + sam.id + "&status=created": 0,
			"?courier_id=" + tracking.NewID().String(): 0,
		} {
			if got := len(ids(t, list(t, query))); got != want {
				t.Errorf("%s: %d deliveries, want %d", query, got, want)
			}
		}
	})
	t.Run("an empty list is a list", func(t *testing.T) {
		t.Parallel()
		if a := s.do(t, "GET", "/v1/deliveries?status=failed", s.merchant, nil); !strings.Contains(string(a.body), `"items":[]`) {
			t.Errorf("got %s", a.body)
		}
	})
	for query, location := range map[string]string{
		"?status=flying": "query.status", "?status=created,": "query.status", "?courier_id=7": "query.courier_id", "?cursor=x": "query.cursor",
		"?limit=0": "query.limit", "?limit=201": "query.limit", "?limit=ten": "query.limit", "?colour=red": "query.colour",
	} {
		t.Run("refuses "+query, func(t *testing.T) {
			t.Parallel()
			at(t, s.do(t, "GET", "/v1/deliveries"+query, s.merchant, nil).refused(t, 422, tracking.CodeInvalid), location)
		})
	}
}
