package api_test

import (
	"testing"

	"hotfoot/tracking"
)

func TestServer_ETA(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ask := func(query string) answer { return s.do(t, "GET", "/v1/ops/eta"+query, s.ops, nil) }
	straight := tracking.DistanceM(37.7812, -122.4112, 37.7893, -122.4010)
	car := ask("?from=37.7812,-122.4112&to=37.7893,-122.4010").want(t, 200)
	if d := car["distance_m"].(float64); car["source"] != "estimate" || d < straight || d > 2*straight {
		t.Errorf("got %v; the straight line is %v m", car, straight)
	}
	foot := ask("?from=37.7812,-122.4112&to=37.7893,-122.4010&vehicle=foot").want(t, 200)
	if foot["duration_s"].(float64) < 3*car["duration_s"].(float64) {
		t.Errorf("on foot %v, by car %v", foot, car)
	}
	for query, location := range map[string]string{
		"?to=1,2": "query.from", "?from=1,2": "query.to", "?from=1,2&to=1": "query.to", "?from=91,2&to=1,2": "query.from", "?from=NaN,2&to=1,2": "query.from",
		"?from=1,2&to=1,2&vehicle=rocket": "query.vehicle", "?from=1,2&to=1,2&profile=car": "query.profile",
	} {
		at(t, ask(query).refused(t, 422, tracking.CodeInvalid), location)
	}
}
