package api_test

import (
	"fmt"
	"slices"
	"testing"

	"hotfoot/tracking"
)

func TestServer_Couriers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	other := s.newTenant(t, "Another kitchen")
	t.Run("a courier is made off duty, with a key that is shown once", func(t *testing.T) {
		t.Parallel()
		c := s.do(t, "POST", "/v1/couriers", s.merchant, object{"name": "Sam", "vehicle": "scooter", "phone": "+1 415 555 0100"}).want(t, 201)
		if c["name"] != "Sam" || c["vehicle"] != "scooter" || c["phone"] != "+1 415 555 0100" || c["on_duty"] != false || text(c["token"]) == "" {
			t.Errorf("got %v", c)
		}
		got := s.do(t, "GET", "/v1/couriers/"+text(c["id"]), s.ops, nil).want(t, 200)
		if _, there := got["token"]; there {
			t.Error("the key is shown again")
		}
		delete(c, "token")
		if fmt.Sprint(got) != fmt.Sprint(c) {
			t.Errorf("got %v, made %v", got, c)
		}
	})
	t.Run("patch changes what it names and nothing else", func(t *testing.T) {
		t.Parallel()
		sam := s.hire(t, s.tenant, "Sam")
		path := "/v1/couriers/" + sam.id
		if c := s.do(t, "PATCH", path, s.ops, object{"phone": "1"}).want(t, 200); c["name"] != "Sam" || c["vehicle"] != "bike" || c["phone"] != "1" {
			t.Errorf("got %v", c)
		}
		if c := s.do(t, "PATCH", path, s.ops, object{"name": "Samuel", "vehicle": "van"}).want(t, 200); c["name"] != "Samuel" || c["vehicle"] != "van" || c["phone"] != "1" {
			t.Errorf("got %v", c)
		}
		if c := s.do(t, "PATCH", path, s.ops, object{"phone": ""}).want(t, 200); c["phone"] != nil {
			t.Errorf("phone %v, want null", c["phone"])
		}
		if c := s.do(t, "PATCH", path, s.ops, object{}).want(t, 200); c["name"] != "Samuel" {
			t.Errorf("got %v", c)
		}
		at(t, s.do(t, "PATCH", path, s.ops, object{"vehicle": "rocket"}).refused(t, 422, tracking.CodeInvalid), "vehicle")
		at(t, s.do(t, "PATCH", path, s.ops, object{"name": ""}).refused(t, 422, tracking.CodeInvalid), "name")
		at(t, s.do(t, "PATCH", path, s.ops, object{"on_duty": true}).refused(t, 422, tracking.CodeInvalid), "on_duty")
	})
	t.Run("rotating a key ends the old one at once", func(t *testing.T) {
		t.Parallel()
		sam := s.hire(t, s.tenant, "Sam")
		s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).want(t, 200)
		fresh := s.do(t, "POST", "/v1/couriers/"+sam.id+"/token", s.merchant, nil).want(t, 200)
		if text(fresh["token"]) == "" || fresh["token"] == sam.token {
			t.Fatalf("got %v", fresh)
		}
		s.do(t, "GET", "/v1/courier/deliveries", text(fresh["token"]), nil).want(t, 200)
		eventually(t, "the old key is refused", func() bool {
			return s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).status == 401
		})
	})
	t.Run("somebody else's courier does not exist", func(t *testing.T) {
		t.Parallel()
		sam := s.hire(t, s.tenant, "Sam")
		for _, id := range []string{sam.id, tracking.NewID().String(), "7"} {
			s.do(t, "GET", "/v1/couriers/"+id, other.merchant, nil).refused(t, 404, tracking.CodeNotFound)
			s.do(t, "PATCH", "/v1/couriers/"+id, other.merchant, object{"name": "X"}).refused(t, 404, tracking.CodeNotFound)
			s.do(t, "POST", "/v1/couriers/"+id+"/token", other.merchant, nil).refused(t, 404, tracking.CodeNotFound)
		}
		s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).want(t, 200)
	})
	t.Run("the list pages through the merchant's own", func(t *testing.T) {
		t.Parallel()
		third := s.newTenant(t, "Third kitchen")
		var made, got []string
		for i := range 5 {
			made = append(made, s.hire(t, third, fmt.Sprint("courier ", i)).id)
		}
		query := "?limit=2"
		for {
			page := s.do(t, "GET", "/v1/couriers"+query, third.ops, nil).want(t, 200)
			for _, c := range items(t, page) {
				got = append(got, text(c["id"]))
			}
			if page["next_cursor"] == nil {
				break
			}
			query = "?limit=2&cursor=" + text(page["next_cursor"])
		}
		slices.Sort(made)
		if !slices.Equal(got, made) {
			t.Errorf("got %v, want %v", got, made)
		}
	})
}
