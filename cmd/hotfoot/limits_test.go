package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// get asks a node as a balancer does for a client, and answers the status and the rule that refused.
func get(t *testing.T, url, client string) (status int, rule string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	r.Header.Set("X-Forwarded-For", client)
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, response.Body.Close())
	rule, _, _ = strings.Cut(strings.TrimPrefix(response.Header.Get("RateLimit"), `"`), `"`)
	return response.StatusCode, rule
}

// Two gateways count links that open nothing together and handshakes each alone, by the client that the balancer names.
func TestServe_Limits(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.env = append(d.env, "HOTFOOT_LIMITS=misses=fixed_window:4/1h:open,handshakes=token_bucket:3/1h:local", "HOTFOOT_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8")
	gateways := []*process{d.start("gateway"), d.start("gateway")}
	for n, want := range []string{"", "", "", "", "misses", "misses", "handshakes", "handshakes"} {
		path := fmt.Sprintf("/v1/track/nothing%d/%s", n, []string{"live", "events"}[n/2%2])
		status, rule := get(t, gateways[n%2].url+path, "203.0.113.7")
		if refused := status == http.StatusTooManyRequests; rule != want || refused != (want != "") || !refused && status != http.StatusNotFound {
			t.Errorf("the %d. time: %d by %q, want %q", n+1, status, rule, want)
		}
	}
	if status, _ := get(t, gateways[0].url+"/v1/track/nothing/live", "203.0.113.8"); status != http.StatusNotFound {
		t.Errorf("another client: %d", status)
	}
}

func TestNodeFlags_limits(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*nodeFlags){
		"HOTFOOT_LIMITS: writes=leaky:1/1s":           func(f *nodeFlags) { f.Limits = "writes=leaky:1/1s" },
		`HOTFOOT_TRUSTED_PROXIES: "balancer.example"`: func(f *nodeFlags) { f.TrustedProxies = []string{"balancer.example"} },
	} {
		f := validFlags()
		change(&f)
		if err := f.validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %s", err, want)
		}
	}
}
