package api_test

import (
	"testing"

	"hotfoot/tracking"
)

func TestServer_audit(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	delivery := text(s.deliver(t, sam.id)["id"])
	s.do(t, "POST", "/v1/courier/deliveries/"+delivery+"/status", sam.token, object{"status": "picked_up", "client_event_id": "a"}).want(t, 200)
	list := func(query string) (items []any, next any) {
		t.Helper()
		body := s.do(t, "GET", "/v1/audit"+query, s.merchant, nil).want(t, 200)
		return body["items"].([]any), body["next_cursor"]
	}
	t.Run("says who changed a delivery, and how", func(t *testing.T) {
		items, next := list("?subject_id=" + delivery)
		if len(items) != 2 || next != nil {
			t.Fatalf("%v, then %v", items, next)
		}
		newest, made := items[0].(object), items[1].(object)
		by := newest["by"].(object)
		if by["kind"] != "courier" || by["id"] != sam.id || newest["action"] != "update" || newest["subject"] != "deliveries" || newest["subject_id"] != delivery {
			t.Errorf("the newest is %v", newest)
		}
		if status := newest["changes"].(object)["status"].([]any); status[0] != "assigned" || status[1] != "picked_up" {
			t.Errorf("it says that the status went %v", status)
		}
		if made["action"] != "insert" || made["by"].(object)["kind"] != "merchant" || made["by"].(object)["id"] == nil {
			t.Errorf("the first is %v", made)
		}
		if recipient, there := made["changes"].(object)["recipient_name"]; recipient != nil || !there {
			t.Errorf("of the recipient it tells %v", recipient)
		}
	})
	t.Run("is read page by page", func(t *testing.T) {
		all, _ := list("?limit=200")
		var paged []any
		for query := "?limit=2"; ; {
			items, next := list(query)
			paged = append(paged, items...)
			if next == nil {
				break
			}
			query = "?limit=2&cursor=" + next.(string)
		}
		if len(paged) != len(all) || len(all) < 4 {
			t.Fatalf("%d in pages of two, %d at once", len(paged), len(all))
		}
		for i := range all {
			if all[i].(object)["id"] != paged[i].(object)["id"] {
				t.Errorf("%d: %v, %v", i, all[i], paged[i])
			}
		}
	})
	t.Run("refuses what is no id and no cursor", func(t *testing.T) {
		for _, query := range []string{"?subject_id=x", "?cursor=x", "?cursor=0", "?cursor=-1", "?cursor=99999999999999999999"} {
			s.do(t, "GET", "/v1/audit"+query, s.merchant, nil).refused(t, 422, tracking.CodeInvalid)
		}
	})
}
