package api_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// counted is a counter of rate limit decisions.
func (s *site) counted(t *testing.T, rule, result string) float64 {
	t.Helper()
	families, err := s.registry.Gather()
	must(t, err)
	for _, f := range families {
		if f.GetName() != "hotfoot_limit_decisions_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["rule"] == rule && labels["result"] == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("%s %s is not registered", rule, result)
	return 0
}

// limited checks that an answer is the refusal of a rule, complete with what a client needs to know.
func (a answer) limited(t *testing.T, rule string) {
	t.Helper()
	a.refused(t, 429, tracking.CodeRateLimited)
	after, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || after < 1 || after > 3600 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	if got := a.header.Get("RateLimit"); !strings.HasPrefix(got, `"`+rule+`";r=0;t=`) {
		t.Errorf("RateLimit %q, want that of %s", got, rule)
	}
	if got := a.header.Get("RateLimit-Policy"); !strings.HasPrefix(got, `"`+rule+`";q=`) {
		t.Errorf("RateLimit-Policy %q, want that of %s", got, rule)
	}
}

const forwarded = "X-Forwarded-For: "

func TestLimits_byKey(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, "writes=fixed_window:3/1h:open,reads=token_bucket:2/1h:local")
	other := s.newTenant(t, "Another kitchen")
	for left := 2; left >= 0; left-- {
		a := s.do(t, "POST", "/v1/couriers", s.merchant, object{"name": "Sam", "vehicle": "bike"})
		a.want(t, 201)
		if got, want := a.header.Get("RateLimit"), fmt.Sprintf(`"writes";r=%d;t=3600`, left); got != want && got != strings.Replace(want, "3600", "3599", 1) {
			t.Errorf("RateLimit %q, want %q", got, want)
		}
		if got, want := a.header.Get("RateLimit-Policy"), `"writes";q=3;w=3600`; got != want {
			t.Errorf("RateLimit-Policy %q, want %q", got, want)
		}
	}
	s.do(t, "POST", "/v1/deliveries", s.merchant, draft()).limited(t, "writes")
	s.do(t, "POST", "/v1/deliveries", s.merchant, "not even JSON").limited(t, "writes")
	s.do(t, "GET", "/v1/deliveries", s.merchant, nil).want(t, 200)
	s.do(t, "POST", "/v1/deliveries", s.ops, draft()).want(t, 201)
	s.do(t, "POST", "/v1/deliveries", other.merchant, draft()).want(t, 201)
	s.do(t, "GET", "/v1/couriers", s.merchant, nil).want(t, 200)
	s.do(t, "GET", "/v1/couriers", s.merchant, nil).limited(t, "reads")
	for result, want := range map[string]float64{"allowed": 5, "refused": 1, "remembered": 1, "let_pass": 0, "shut_out": 0} {
		if got := s.counted(t, "writes", result); got != want {
			t.Errorf("%v are counted as %s, want %v", got, result, want)
		}
	}
}

func TestLimits_byCourier(t *testing.T) {
	t.Parallel()
	// One for the shift.
	s := newLimitedSite(t, "couriers=fixed_window:2/1h:open,positions=token_bucket:3/1h:local")
	sam, kim := s.onDuty(t), s.onDuty(t)
	s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).want(t, 200)
	s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).limited(t, "couriers")
	s.do(t, "GET", "/v1/courier/deliveries", kim.token, nil).want(t, 200)

	// By all ways that a report may come, which are one count.
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(3*time.Second)).want(t, 202)
	// An escape is not plain enough for the quick way.
	slow := `{"session":"\u0061","positions":[` + string(mustJSON(t, fix(2*time.Second))) + `]}`
	s.do(t, "POST", "/v1/courier/positions", sam.token, slow).want(t, 202)
	id, err := tracking.ParseID(sam.id)
	must(t, err)
	actor := tracking.Actor{Role: tracking.RoleCourier, MerchantID: s.id, CourierID: id}
	message := mustJSON(t, object{"type": "positions", "id": 1, "positions": []object{fix(time.Second)}})
	_, err = s.server.Report(t.Context(), actor, message)
	must(t, err)
	receipt, err := s.server.Report(t.Context(), actor, message)
	if err != nil || !strings.Contains(string(receipt), `"code":"rate_limited"`) {
		t.Errorf("by socket: %s, %v", receipt, err)
	}
	s.do(t, "POST", "/v1/courier/positions", sam.token, fix(0)).limited(t, "positions")
	s.do(t, "POST", "/v1/courier/positions", sam.token, slow).limited(t, "positions")
	s.do(t, "POST", "/v1/courier/positions", kim.token, fix(0)).want(t, 202)
}

// By the default rules a link that was made up costs no store anything, however often it is asked for.
func TestLimits_forgeries(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, "")
	genuine := "/v1/track/" + text(s.deliver(t, "")["tracking_token"])
	commands := func() string { return s.hot.Info(t.Context(), "commandstats").Val() }
	calls := func(stats, command string) string {
		_, rest, _ := strings.Cut(stats, "cmdstat_"+command+":calls=")
		n, _, _ := strings.Cut(rest, ",")
		return n
	}
	s.do(t, "GET", genuine, "", nil).want(t, 200)
	before := commands()
	forged := []byte(genuine)
	for i := range 20 {
		forged[len(forged)-5] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i]
		if string(forged) != genuine {
			s.do(t, "GET", string(forged), "", nil, fmt.Sprintf("%s203.0.113.%d", forwarded, i)).refused(t, 404, tracking.CodeNotFound)
		}
	}
	after := commands()
	for _, command := range []string{"evalsha", "get", "hmget"} {
		if was, is := calls(before, command), calls(after, command); was != is {
			t.Errorf("%s was called %s times before and %s after", command, was, is)
		}
	}
	if calls(before, "hmget") == "" {
		t.Errorf("nothing was counted: %s", before)
	}
}

func TestLimits_byLinkAndAddress(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, "snapshots=token_bucket:2/1h:local,misses=fixed_window:2/1h:open,handshakes=token_bucket:2/1h:local")
	path, other := "/v1/track/"+text(s.deliver(t, "")["tracking_token"]), "/v1/track/"+text(s.deliver(t, "")["tracking_token"])
	t.Run("a link", func(t *testing.T) {
		t.Parallel()
		for range 2 {
			s.do(t, "GET", path, "", nil).want(t, 200)
		}
		s.do(t, "GET", path, "", nil).limited(t, "snapshots")
		s.do(t, "GET", "/t/"+strings.TrimPrefix(path, "/v1/track/"), "", nil).limited(t, "snapshots")
	})
	t.Run("links that open nothing, by address; those that do go on opening", func(t *testing.T) {
		t.Parallel()
		for i, from := range []string{"203.0.113.7", "2001:db8::1"} {
			for n := range 2 {
				s.do(t, "GET", fmt.Sprintf("/v1/track/nothing%d%d", i, n), "", nil, forwarded+from).refused(t, 404, tracking.CodeNotFound)
			}
			s.do(t, "GET", fmt.Sprintf("/v1/track/never%d", i), "", nil, forwarded+from).limited(t, "misses")
			s.do(t, "GET", fmt.Sprintf("/t/never%d", i), "", nil, forwarded+from).limited(t, "misses")
		}
		s.do(t, "GET", "/v1/track/neighbour", "", nil, forwarded+"2001:db8::ffff:1:2:3").limited(t, "misses")
		s.do(t, "GET", "/v1/track/stranger", "", nil, forwarded+"2001:db8:0:1::1").refused(t, 404, tracking.CodeNotFound)
		s.do(t, "GET", other, "", nil, forwarded+"203.0.113.7").want(t, 200)
	})
	t.Run("handshakes", func(t *testing.T) {
		t.Parallel()
		for range 2 {
			s.do(t, "GET", "/v1/ops/live", s.ops, nil, forwarded+"198.51.100.1").want2xx(t)
		}
		s.do(t, "GET", "/v1/ops/live", s.ops, nil, forwarded+"198.51.100.1").limited(t, "handshakes")
		// What stands before the last address was written by the client.
		s.do(t, "GET", "/v1/ops/live", s.ops, nil, forwarded+"192.0.2.55, 198.51.100.1").limited(t, "handshakes")
		s.do(t, "GET", "/v1/ops/live", s.ops, nil, forwarded+"198.51.100.2").want2xx(t)
	})
}

func TestLimits_keys(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, s *site, key, from string) answer {
		t.Helper()
		return s.do(t, "GET", "/v1/deliveries", key, nil, forwarded+from)
	}
	t.Run("an address has so many wrong keys, and then no unknown one is looked up", func(t *testing.T) {
		t.Parallel()
		s := newLimitedSite(t, "keys=fixed_window:3/1h:closed")
		get(t, s, s.ops, "203.0.113.7").want(t, 200) // known from now on
		for range 3 {
			get(t, s, neverMade(), "203.0.113.7").refused(t, 401, tracking.CodeUnauthorized)
		}
		get(t, s, neverMade(), "203.0.113.7").limited(t, "keys")
		get(t, s, s.merchant, "203.0.113.7").limited(t, "keys") // right, but who could tell without looking it up
		get(t, s, s.ops, "203.0.113.7").want(t, 200)
		get(t, s, s.merchant, "203.0.113.8").want(t, 200)
		get(t, s, s.merchant, "203.0.113.7").want(t, 200)
	})
	t.Run("the same wrong key again is no further guess, and is not looked up again", func(t *testing.T) {
		t.Parallel()
		s := newLimitedSite(t, "keys=fixed_window:3/1h:closed")
		revoked := neverMade()
		for range 20 {
			get(t, s, revoked, "203.0.113.7").refused(t, 401, tracking.CodeUnauthorized)
		}
		if n := s.counted(t, "keys", "allowed"); n != 1 {
			t.Errorf("%v guesses are counted, want 1", n)
		}
	})
	t.Run("what cannot be a key is no guess", func(t *testing.T) {
		t.Parallel()
		s := newLimitedSite(t, "keys=fixed_window:1/1h:closed")
		for _, key := range []string{"", "x", "hf_merchant_x", s.merchant + "x"} {
			get(t, s, key, "203.0.113.7").refused(t, 401, tracking.CodeUnauthorized)
		}
		if n := s.counted(t, "keys", "allowed"); n != 0 {
			t.Errorf("%v guesses are counted, want none", n)
		}
	})
	t.Run("without Redis a wrong key is the last one for a while, and a right one is none", func(t *testing.T) {
		t.Parallel()
		s := newLimitedSite(t, "keys=fixed_window:100/1h:closed")
		s.killRedis()
		get(t, s, s.merchant, "203.0.113.7").want(t, 200)
		get(t, s, neverMade(), "203.0.113.7").unavailable(t)
		get(t, s, s.ops, "203.0.113.7").limited(t, "keys")
		get(t, s, s.ops, "203.0.113.8").want(t, 200)
		if n := s.counted(t, "keys", "shut_out"); n != 1 {
			t.Errorf("%v were shut out, want 1", n)
		}
	})
}

func TestLimits_withoutRedis(t *testing.T) {
	t.Parallel()
	s := newLimitedSite(t, "couriers=fixed_window:1/1h:open,writes=fixed_window:1/1h:closed,positions=token_bucket:2/1h:local")
	sam := s.onDuty(t)
	s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).limited(t, "couriers")
	kim := s.hireDirectly(t)
	s.redis.Pause()
	began := time.Now()
	s.do(t, "GET", "/v1/courier/deliveries", kim, nil).want(t, 200)
	s.do(t, "POST", "/v1/deliveries", s.ops, draft()).unavailable(t)
	if took := time.Since(began); took > promptly {
		t.Errorf("with a Redis that hangs two requests took %v", took)
	}
	s.redis.Resume()
	s.killRedis()
	began = time.Now()
	for range 3 {
		s.do(t, "GET", "/v1/courier/deliveries", kim, nil).want(t, 200)
	}
	s.do(t, "GET", "/v1/courier/deliveries", sam.token, nil).limited(t, "couriers") // which is remembered
	s.do(t, "POST", "/v1/deliveries", s.ops, draft()).unavailable(t)
	s.do(t, "POST", "/v1/limits/check", s.merchant, check("k")).unavailable(t)
	if took := time.Since(began); took > promptly {
		t.Errorf("six requests took %v", took)
	}
	if open, closed := s.counted(t, "couriers", "let_pass"), s.counted(t, "writes", "shut_out"); open != 4 || closed != 2 {
		t.Errorf("%v were let pass and %v shut out, want 4 and 2", open, closed)
	}
}

// hireDirectly makes a courier's key without the API.
func (s *site) hireDirectly(t *testing.T) (token string) {
	t.Helper()
	id := tracking.NewID()
	key, secret := tracking.NewKey(s.id, tracking.RoleCourier, id, "test")
	must(t, s.store.CreateCourier(t.Context(), tracking.Courier{ID: id, MerchantID: s.id, Name: "Kim", Vehicle: tracking.Bike, CreatedAt: time.Now()}, key))
	return secret
}
