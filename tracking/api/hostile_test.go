package api_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// marker is when what the live map shows of a courier was recorded; zero for nothing.
func (s *site) marker(t *testing.T, courier string) (at time.Time) {
	t.Helper()
	for _, c := range items(t, s.do(t, "GET", "/v1/ops/couriers?near=37.7812,-122.4112&radius_m=1000", s.ops, nil).want(t, 200)) {
		if position, shown := c["position"].(object); shown && c["id"] == courier {
			var err error
			at, err = time.Parse(time.RFC3339, text(position["recorded_at"]))
			must(t, err)
		}
	}
	return at
}

// A phone that sends again, backwards, from another day or by another clock is told what became of it; the marker never goes back, and the customer's
// arrival stays within reason.
func TestServer_Positions_clocks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	d := s.deliver(t, sam.id)
	s.report(t, sam, d["id"], "picked_up", "en_route")
	now := time.Now().Truncate(time.Millisecond)
	zone := func(at time.Time, hours int) string {
		return at.In(time.FixedZone("", hours*3600)).Format("2006-01-02T15:04:05.000Z07:00")
	}
	point := func(seq int, at string) object {
		return object{"seq": seq, "lat": 37.7812, "lon": -122.4112, "accuracy_m": 5, "recorded_at": at}
	}
	ago := func(d time.Duration) string { return stamp(now.Add(-d)) }
	for _, c := range []struct {
		name     string
		receipts string
		marker   time.Duration // before now
		points   []object
	}{
		{"as it should be", "late late live", 20 * time.Second, []object{point(1, ago(22*time.Second)), point(2, ago(21*time.Second)), point(3, ago(20*time.Second))}},
		{"the same again", "duplicate duplicate duplicate", 20 * time.Second, []object{point(1, ago(22*time.Second)), point(2, ago(21*time.Second)), point(3, ago(20*time.Second))}},
		{"backwards", "live late late", 17 * time.Second, []object{point(6, ago(17*time.Second)), point(5, ago(18*time.Second)), point(4, ago(19*time.Second))}},
		{"what was forgotten, from before", "late", 17 * time.Second, []object{point(7, ago(25*time.Second))}},
		{"a seq of before with another time", "duplicate", 17 * time.Second, []object{point(2, ago(50*time.Second))}},
		{"tomorrow", "rejected/in_future", 17 * time.Second, []object{point(8, stamp(now.Add(24*time.Hour)))}},
		{"2038", "rejected/in_future", 17 * time.Second, []object{point(9, "2038-01-19T03:14:08Z")}},
		{"1970", "rejected/too_old", 17 * time.Second, []object{point(10, "1970-01-01T00:00:00Z")}},
		{"1980, where GPS begins", "rejected/too_old", 17 * time.Second, []object{point(11, "1980-01-06T00:00:00Z")}},
		{"a day of rolled-over weeks", "rejected/too_old", 17 * time.Second, []object{point(12, stamp(now.Add(-1024*7*24*time.Hour)))}},
		{"yesterday", "late", 17 * time.Second, []object{point(13, ago(24*time.Hour))}},
		{"a leap second", "rejected/recorded_at", 17 * time.Second, []object{point(14, "2016-12-31T23:59:60Z")}},
		{"a leap day that is none", "rejected/recorded_at", 17 * time.Second, []object{point(15, "2026-02-29T12:00:00Z")}},
		{
			"summer time ends: the same moment by two offsets, and an hour that comes twice", "late late late", 16 * time.Second,
			[]object{point(16, zone(now.Add(-16*time.Second), -7)), point(17, zone(now.Add(-16*time.Second), -8)), point(18, zone(now.Add(-time.Hour), -7))},
		},
		{"a local time that calls itself UTC", "late", 16 * time.Second, []object{point(19, stamp(now.Add(-7*time.Hour)))}},
		{"and goes on", "live", time.Second, []object{point(20, zone(now.Add(-time.Second), 14))}},
	} {
		before := s.marker(t, sam.id)
		got := receipts(t, s.do(t, "POST", "/v1/courier/positions", sam.token, object{"session": "a", "positions": c.points}).object(t))
		if c.marker == 16*time.Second {
			got = strings.Replace(got, "live", "late", 1) // either of two at the same moment
		}
		if got != c.receipts {
			t.Errorf("%s: %s, want %s", c.name, got, c.receipts)
		}
		if after := s.marker(t, sam.id); after.Before(before) || !after.Equal(now.Add(-c.marker)) {
			t.Errorf("%s: the marker is from %s after %s", c.name, after, before)
		}
		view := s.do(t, "GET", "/v1/track/"+text(d["tracking_token"]), "", nil).want(t, 200)
		eta, err := time.Parse(time.RFC3339, text(view["eta"].(object)["at"]))
		must(t, err)
		if left := time.Until(eta); left < -time.Minute || left > time.Hour {
			t.Errorf("%s: arriving in %v", c.name, left)
		}
	}
}

// hotKeys is everything that the hot store holds.
func (s *site) hotKeys(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	names := s.hot.Scan(t.Context(), 0, "*", 1000).Iterator()
	for names.Next(t.Context()) {
		all[names.Val()] = s.hot.Dump(t.Context(), names.Val()).Val()
	}
	must(t, names.Err())
	if len(all) == 0 {
		t.Fatal("it holds nothing, so nothing was looked at")
	}
	return all
}

// Of what an off-duty courier's phone reports, nothing is anywhere afterwards.
func TestServer_Positions_offShift(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0), "Prefer: wait=5").want(t, 200)
	s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": false}).want(t, 200)
	var before map[string]string
	eventually(t, "the hot store is at rest", func() bool {
		last := before
		before = s.hotKeys(t)
		return maps.Equal(before, last)
	})
	const session, lat, lon = "refused-session", 37.123456, -122.654321
	private := object{"session": session, "positions": []object{
		fix(time.Second, "seq", 1, "lat", lat, "lon", lon), fix(0, "seq", 2, "lat", 95, "lon", lon), fix(0, "seq", 3, "lat", lat, "lon", lon, "mock", true),
	}}
	slowly := fmt.Sprintf(`{"session":%q,"positions":[{"lat":%v,"lon":%v,"recorded_at":%q,"note":"x"},{"lat":%v,"lon":%v,"recorded_at":%q}]}`,
		session, lat, lon, stamp(time.Now()), lat, lon, stamp(time.Now()))
	for _, body := range []any{private, slowly} {
		for _, prefer := range []string{"Prefer: none", "Prefer: wait=5"} {
			a := s.do(t, "POST", "/v1/courier/positions", sam.token, body, prefer)
			a.refused(t, 403, "off_shift")
			if strings.Contains(string(a.body), "37.1") {
				t.Errorf("the refusal repeats it: %s", a.body)
			}
		}
	}
	for table, where := range map[string]string{
		"positions": fmt.Sprintf("lat = %v OR session = '%s'", lat, session), "position_sessions": fmt.Sprintf("session = '%s'", session),
		"dead_letters": "true", "delivery_events": fmt.Sprintf("lat = %v", lat),
	} {
		var n int
		must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE "+where).Scan(&n))
		if n != 0 {
			t.Errorf("%d rows of it are in %s", n, table)
		}
	}
	if after := s.hotKeys(t); !maps.Equal(before, after) {
		t.Errorf("the hot store held %d keys and holds %d, or others", len(before), len(after))
	}
	for _, trace := range []string{session, "37.123", "122.654"} {
		if strings.Contains(s.log.String(), trace) {
			t.Errorf("the log has %q of it:\n%s", trace, s.log)
		}
	}
}

// A phone that was tampered with, or has no fix, is told so; its points are kept and counted, and shown to nobody.
func TestServer_Positions_suspects(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if got := s.suspected(t); fmt.Sprint(got) != "map[accuracy:0 mock:0 null_island:0 speed:0 teleport:0]" {
		t.Errorf("at first %v are counted: an alert on their rate would miss the first", got)
	}
	for _, prefer := range []string{"Prefer: none", "Prefer: wait=10"} {
		sam := s.onDuty(t)
		send := func(ago time.Duration, more ...any) string {
			t.Helper()
			return receipts(t, s.do(t, "POST", "/v1/courier/positions", sam.token, fix(ago, more...), prefer).object(t))
		}
		if got := send(30 * time.Second); got != "live" {
			t.Errorf("%s: at first %s", prefer, got)
		}
		// The list of who is on duty may be some seconds old.
		var shown time.Time
		eventually(t, "the marker is on the map", func() bool {
			shown = s.marker(t, sam.id)
			return !shown.IsZero()
		})
		for i, c := range []struct {
			want string
			more []any
		}{
			{"late?mock", []any{"mock", true}},
			{"late?speed", []any{"speed_mps", 71}},
			{"late?accuracy", []any{"accuracy_m", 1001}},
			{"late?null_island", []any{"lat", 0, "lon", 0}},
			{"late?teleport", []any{"lat", 38.5}},
		} {
			// Two fixes of one millisecond are one fix, and a report may take less.
			if got := send(20*time.Second-time.Duration(i)*50*time.Millisecond, c.more...); got != c.want {
				t.Errorf("%s: %v is answered %s, want %s", prefer, c.more, got, c.want)
			}
			if now := s.marker(t, sam.id); !now.Equal(shown) {
				t.Errorf("%s: %v moved the marker", prefer, c.more)
			}
		}
		if got := send(19*time.Second, "mock", false); got != "live" {
			t.Errorf("%s: after all that %s", prefer, got)
		}
		eventually(t, "all are stored, with their reasons", func() bool {
			var n, reasons int
			must(t, s.pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT suspect) FROM positions WHERE courier_id = $1", sam.id).Scan(&n, &reasons))
			return n == 7 && reasons == 5
		})
	}
	if got := s.suspected(t); fmt.Sprint(got) != "map[accuracy:2 mock:2 null_island:2 speed:2 teleport:2]" {
		t.Errorf("counted are %v", got)
	}
}

// suspected is how often each reason was counted.
func (s *site) suspected(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := s.registry.Gather()
	must(t, err)
	counts := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "hotfoot_positions_suspect_total" {
			for _, m := range f.GetMetric() {
				counts[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return counts
}
