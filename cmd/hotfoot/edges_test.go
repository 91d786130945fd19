package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// published are all operations of a node's OpenAPI document, with an id or a token in their paths that nobody has.
func published(t *testing.T, node string) (requests []string) {
	t.Helper()
	var document struct{ Paths map[string]map[string]any }
	call(t, "GET", node+"/openapi.json", "", nil, &document, 200)
	for path, methods := range document.Paths {
		path = strings.NewReplacer("{id}", "01920000-0000-7000-8000-000000000000", "{token}", "x").Replace(path)
		for method := range methods {
			requests = append(requests, strings.ToUpper(method)+" "+path)
		}
	}
	if len(requests) < 30 {
		t.Fatalf("only %d operations are published", len(requests))
	}
	return requests
}

// beside are what is served and not published, and what is not served at all.
var beside = []string{
	"GET /", "GET /ops", "GET /docs", "GET /openapi.json", "GET /t/x", "GET /healthz", "GET /readyz", "GET /assets/none.js", "GET /map/sf.pmtiles", "HEAD /map/sf.pmtiles",
	"GET /map/none", "GET /none", "POST /none", "PUT /ops", "GET /ops/", "TRACE /ops", "OPTIONS /v1/deliveries", "GET //", "GET /assets/../openapi.json", "GET /%2e%2e/etc/passwd",
}

func ask(t *testing.T, node, request, key string) (*http.Response, string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, node+path, nil)
	must(t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := plainClient.Transport.RoundTrip(r) // a redirect is an answer, too
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response, string(body)
}

// Every answer on the public port tells browsers what it is not, and pages what they may.
func TestServe_headers(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	s := d.stage(node.url)
	for _, key := range []string{"", d.merchantKey} {
		for _, request := range append(published(t, node.url), append(beside, "GET /t/"+s.token, "GET /v1/track/"+s.token)...) {
			if key == d.merchantKey && !strings.HasPrefix(request, "GET ") {
				continue // they do things
			}
			response, _ := ask(t, node.url, request, key)
			// Date and Content-Length are not in the map that net/http keeps of the others, which has room for eight before it grows.
			if n := len(response.Header) - 2; request == "GET /v1/track/"+s.token && (response.StatusCode != 200 || n > 8) {
				t.Errorf("%s: %d with %d headers: %v", request, response.StatusCode, n, response.Header)
			}
			page := strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") && response.StatusCode/100 != 3
			want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": ""}
			if page {
				want["Cross-Origin-Opener-Policy"] = "same-origin"
			}
			for name, value := range want {
				if got := response.Header.Values(name); strings.Join(got, "|") != value {
					t.Errorf("%s: %d, %s is %q, want %q", request, response.StatusCode, name, got, value)
				}
			}
			policies := response.Header.Values("Content-Security-Policy")
			if len(policies) != 1 {
				t.Errorf("%s: %d policies", request, len(policies))
				continue
			}
			for _, directive := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
				if !strings.Contains(policies[0], directive) {
					t.Errorf("%s: no %s in %q", request, directive, policies[0])
				}
			}
			if strings.Contains(policies[0], "unsafe") || page != strings.Contains(policies[0], "script-src 'self'") || page != (response.Header.Get("Permissions-Policy") != "") {
				t.Errorf("%s: %q, permissions %q", request, policies[0], response.Header.Get("Permissions-Policy"))
			}
		}
	}
}

// What is for operators is on their port alone, and nothing that the public is told says anything of us.
func TestServe_tells_nothing_of_itself(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	host, err := os.Hostname()
	must(t, err)
	for _, path := range []string{
		"/metrics", "/metrics/", "//metrics", "/debug", "/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/debug/requests",
		"/%64ebug/pprof/", "/./debug/pprof/", "/v1/../debug/pprof/", "/assets/../debug/pprof/", "/.git/config", "/.env", "/server-status", "/actuator/env",
	} {
		if response, body := ask(t, node.url, "GET "+path, d.merchantKey); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %.100s", path, response.StatusCode, body)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/cmdline"} {
		call(t, "GET", node.admin+path, "", nil, nil, http.StatusOK)
	}
	tells := func(request string, response *http.Response, body string) {
		t.Helper()
		if response.StatusCode < 400 {
			return
		}
		for _, name := range []string{"Server", "X-Powered-By", "Via"} {
			if response.Header.Get(name) != "" {
				t.Errorf("%s: %s says %q", request, name, response.Header.Get(name))
			}
		}
		for _, trace := range []string{
			"SELECT", "INSERT", "UPDATE ", "pgx", "SQLSTATE", "postgres://", "redis", "redis.sock", "dial ", "goroutine", "runtime.", ".go:", "panic", "/dev/shm", "/tmp", host,
		} {
			if strings.Contains(body, trace) && !strings.Contains(request, trace) {
				t.Errorf("%s: %d, %q is in it: %.300s", request, response.StatusCode, trace, body)
			}
		}
	}
	requests := append(published(t, node.url), beside...)
	for _, away := range []bool{false, true} {
		if away {
			// What they are told while the truth is gone is no other.
			_, err := d.pool.Exec(t.Context(), "ALTER TABLE deliveries RENAME TO gone; ALTER TABLE couriers RENAME TO gone2")
			must(t, err)
		}
		for _, request := range requests {
			for _, key := range []string{"", d.merchantKey, d.opsKey} {
				response, body := ask(t, node.url, request, key)
				tells(request, response, body)
			}
		}
	}
}
