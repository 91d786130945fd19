package api_test

import (
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestServer_keys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	opens := func(key string) bool { return s.do(t, "GET", "/v1/ops/stats", key, nil).status == 200 }
	made := s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops", "label": "till 3"})
	if made.status != 201 {
		t.Fatalf("%d %s", made.status, made.body)
	}
	first := made.object(t)
	if !opens(text(first["secret"])) || first["label"] != "till 3" || first["expires_at"] != nil || first["revoked_at"] != nil {
		t.Errorf("made %v", first)
	}
	t.Run("is rotated with an overlap, in which both open", func(t *testing.T) {
		second := s.do(t, "POST", "/v1/keys/"+text(first["id"])+"/rotate", s.merchant, object{"overlap_s": 3600}).object(t)
		if !opens(text(first["secret"])) || !opens(text(second["secret"])) || second["role"] != "ops" || second["label"] != "till 3" {
			t.Errorf("made %v", second)
		}
	})
	t.Run("is rotated without one, and the old one opens nothing", func(t *testing.T) {
		third := s.do(t, "POST", "/v1/keys/"+text(first["id"])+"/rotate", s.merchant, object{}).object(t)
		eventually(t, "the old key to end", func() bool { return !opens(text(first["secret"])) })
		if !opens(text(third["secret"])) {
			t.Error("the new one opens nothing")
		}
		s.do(t, "POST", "/v1/keys/"+text(first["id"])+"/rotate", s.merchant, object{}).refused(t, 404, tracking.CodeNotFound)
	})
	t.Run("is revoked", func(t *testing.T) {
		last := s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "merchant"}).object(t)
		if !opens(text(last["secret"])) {
			t.Fatal("it opens nothing")
		}
		if a := s.do(t, "DELETE", "/v1/keys/"+text(last["id"]), s.merchant, nil); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		eventually(t, "the key to end", func() bool { return !opens(text(last["secret"])) })
	})
	t.Run("expires on the day that was set", func(t *testing.T) {
		soon := time.Now().Add(1500 * time.Millisecond)
		brief := s.do(t, "POST", "/v1/keys", s.merchant, object{"role": "ops", "expires_at": soon}).object(t)
		if !opens(text(brief["secret"])) {
			t.Fatal("it opens nothing")
		}
		// Although this node has just looked it up.
		eventually(t, "the key to expire", func() bool { return !opens(text(brief["secret"])) })
		if time.Now().Before(soon) {
			t.Error("it expired too early")
		}
	})
	t.Run("is listed without its secret, newest first, and never a courier's", func(t *testing.T) {
		s.hire(t, s.tenant, "Sam")
		items := s.do(t, "GET", "/v1/keys", s.merchant, nil).object(t)["items"].([]any)
		if len(items) < 5 {
			t.Fatalf("%d keys", len(items))
		}
		for _, item := range items {
			k := item.(object)
			if _, there := k["secret"]; there || k["role"] == "courier" || len(text(k["ends_in"])) != 4 {
				t.Errorf("listed %v", k)
			}
		}
	})
	t.Run("is refused with the field that is wrong", func(t *testing.T) {
		for _, body := range []object{{"role": "courier"}, {"role": "system"}, {"role": "ops", "expires_at": "2020-01-01T00:00:00Z"}, {"role": "ops", "expires_at": "soon"}, {}} {
			if a := s.do(t, "POST", "/v1/keys", s.merchant, body); a.status != 422 && a.status != 400 {
				t.Errorf("%v: %d %s", body, a.status, a.body)
			}
		}
		for _, overlap := range []any{-1, 2592001, "1h", 1.5} {
			if a := s.do(t, "POST", "/v1/keys/"+text(first["id"])+"/rotate", s.merchant, object{"overlap_s": overlap}); a.status != 422 && a.status != 400 {
				t.Errorf("%v: %d %s", overlap, a.status, a.body)
			}
		}
	})
	t.Run("of a courier is rotated with an overlap, too", func(t *testing.T) {
		sam := s.hire(t, s.tenant, "Sam")
		again := s.do(t, "POST", "/v1/couriers/"+sam.id+"/token", s.merchant, object{"overlap_s": 60}).object(t)
		for _, token := range []string{sam.token, text(again["token"])} {
			s.do(t, "GET", "/v1/courier/deliveries", token, nil).want2xx(t)
		}
	})
}
