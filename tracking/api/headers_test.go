package api

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	const year = "max-age=31536000"
	for name, c := range map[string]struct {
		proxies Proxies
		peer    string
		tls     bool
		said    []string
		want    string
	}{
		"our own TLS":                       {nil, "203.0.113.7:1", true, nil, year},
		"plain":                             {proxies, "203.0.113.7:1", false, nil, ""},
		"a client that says so":             {proxies, "203.0.113.7:1", false, []string{"https"}, ""},
		"a proxy that nobody named":         {nil, "10.0.0.1:1", false, []string{"https"}, ""},
		"our proxy":                         {proxies, "10.0.0.1:1", false, []string{"https"}, year},
		"our proxy in capitals":             {proxies, "10.0.0.1:1", false, []string{"HTTPS"}, year},
		"our proxy, written as IPv6":        {proxies, "[::ffff:10.0.0.1]:1", false, []string{"https"}, year},
		"our proxy, plain":                  {proxies, "10.0.0.1:1", false, []string{"http"}, ""},
		"our proxy, silent":                 {proxies, "10.0.0.1:1", false, nil, ""},
		"what a client wrote before":        {proxies, "10.0.0.1:1", false, []string{"https, http"}, ""},
		"two lines":                         {proxies, "10.0.0.1:1", false, []string{"http", "https"}, ""},
		"a unix socket":                     {proxies, "@", false, []string{"https"}, ""},
		"nonsense that has the word in it":  {proxies, "10.0.0.1:1", false, []string{"xhttps"}, ""},
		"our own TLS, a proxy says nothing": {proxies, "10.0.0.1:1", true, nil, year},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://track.example/", nil)
		r.TLS, r.RemoteAddr = nil, c.peer
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if c.said != nil {
			r.Header["X-Forwarded-Proto"] = c.said
		}
		w := httptest.NewRecorder()
		Guard(http.NotFoundHandler(), c.proxies).ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The headers of one answer are not another's to change.
func TestGuard_shared(t *testing.T) {
	t.Parallel()
	serve := func(handler http.HandlerFunc) http.Header {
		w := httptest.NewRecorder()
		Guard(handler, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Header()
	}
	serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Content-Security-Policy", "sandbox")
		w.Header().Set("X-Content-Type-Options", "none")
	})
	h := serve(func(http.ResponseWriter, *http.Request) {})
	if len(h["Content-Security-Policy"]) != 1 || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the next answer has %v", h)
	}
}
