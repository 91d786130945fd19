package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestLinkFlags_validate(t *testing.T) {
	t.Parallel()
	for life, fits := range map[time.Duration]bool{
		-time.Hour: false, 0: false, time.Minute - 1: false, time.Minute: true, 168 * time.Hour: true, 2160 * time.Hour: true, 2160*time.Hour + 1: false,
	} {
		if err := (linkFlags{LinkTTL: life}).validate(); (err == nil) != fits {
			t.Errorf("%s: %v", life, err)
		}
	}
}

// linkRoutes are all that a link opens.
var linkRoutes = []string{"/v1/track/%s", "/v1/track/%s/events", "/v1/track/%s/live", "/t/%s"}

// opening is how an attempt to open something was answered.
type opening struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// try asks for a route with a token, as a browser does that wants a socket where there is one.
func try(t *testing.T, node *process, route, token string) opening {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, node.url+fmt.Sprintf(route, token), nil)
	must(t, err)
	if strings.HasSuffix(route, "/live") {
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "hotfoot.v1",
		} {
			r.Header.Set(name, value)
		}
	}
	began := time.Now()
	response, err := plainClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	o := opening{status: response.StatusCode, header: response.Header, took: time.Since(began)}
	if response.StatusCode >= 400 {
		body, err := io.ReadAll(response.Body)
		must(t, err)
		o.body = string(body)
	}
	o.header.Del("Date")
	return o
}

// Whatever is wrong with a token, every way in gives one answer: the same bytes, the same headers, after the same time.
func TestServe_links_that_open_nothing(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	linker, err := tracking.NewLinker([]byte(linkSecret))
	must(t, err)
	other, err := tracking.NewLinker([]byte(strings.Repeat("o", 32)))
	must(t, err)
	good, revoked, expired := d.stage(node.url), d.stage(node.url), d.stage(node.url)
	id, err := tracking.ParseID(good.deliveryID)
	must(t, err)
	call(t, "POST", node.url+"/v1/deliveries/"+revoked.deliveryID+"/link/revoke", d.merchantKey, nil, nil, 200)
	call(t, "POST", node.url+"/v1/deliveries/"+expired.deliveryID+"/cancel", d.merchantKey, object{"reason": "x"}, nil, 200)
	_, err = d.pool.Exec(t.Context(), "UPDATE deliveries SET finished_at = $2, rev = rev + 1 WHERE id = $1", expired.deliveryID, time.Now().Add(-tracking.LinkLife))
	must(t, err)
	eventually(t, "expired link", func() (bool, string) {
		o := try(t, node, linkRoutes[0], expired.token)
		return o.status == 404, fmt.Sprint(o.status)
	})
	tokens := map[string]string{
		"expired": expired.token, "revoked": revoked.token, "of no delivery": linker.Token(tracking.NewID(), 0), "of another secret": other.Token(id, 0),
		"of a later link": linker.Token(id, 1), "a delivery's id": good.deliveryID, "a courier's id": good.courierID, "cut short": good.token[:43],
		"too long": good.token + "A", "in lower case": strings.ToLower(good.token), "of one letter": "x", "of 8 kB": strings.Repeat("A", 8<<10),
		"of zeros": base64.RawURLEncoding.EncodeToString(make([]byte, 33)), "with NUL": "%00" + good.token[3:], "a key": strings.TrimPrefix(d.opsKey, "hf_ops_") + "A",
	}
	bodies := map[string]bool{}
	for _, route := range linkRoutes {
		want := try(t, node, route, "nothing")
		if want.header.Get("Referrer-Policy") != "no-referrer" || want.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", route, want.header)
		}
		if strings.HasPrefix(route, "/v1/") {
			bodies[want.body] = true
		}
		for name, token := range tokens {
			got := try(t, node, route, token)
			if got.status != 404 || got.body != want.body || !reflect.DeepEqual(got.header, want.header) {
				t.Errorf("%s, %s, is told apart: %d %v %s\nwant %v %s", route, name, got.status, got.header, got.body, want.header, want.body)
			}
		}
		// The link itself, for comparison.
		if got := try(t, node, route, good.token); got.status >= 400 ||
			got.status == 200 && (got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: the link is answered %d %v %s", route, got.status, got.header, got.body)
		}
	}
	if len(bodies) != 1 {
		t.Errorf("the ways in are told apart: %v", bodies)
	}
	t.Run("nor does the time tell", func(t *testing.T) {
		for _, route := range linkRoutes {
			kinds := []string{"expired", "revoked", "of no delivery", "of another secret", "of one letter"}
			took := map[string][]time.Duration{}
			for range 9 {
				for _, kind := range kinds {
					took[kind] = append(took[kind], try(t, node, route, tokens[kind]).took)
				}
			}
			var medians []time.Duration
			for _, kind := range kinds {
				slices.Sort(took[kind])
				// What needs no store is known in a microsecond, and must wait for what does.
				if least := took[kind][0]; least < 20*time.Millisecond {
					t.Errorf("%s, %s, is answered after %v already", route, kind, least)
				}
				medians = append(medians, took[kind][4])
			}
			if apart := slices.Max(medians) - slices.Min(medians); apart > 200*time.Millisecond {
				t.Errorf("%s: medians of %v are %v", route, kinds, medians)
			}
			t.Logf("%s: medians of %v are %v", route, kinds, medians)
		}
	})
}

// A merchant revokes a link at one node, and whoever came by it is sent away from every other, by socket and by stream.
func TestServe_revoked_link(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	api, left, right := d.start("api,worker"), d.start("gateway"), d.start("gateway")
	s := d.stage(api.url)
	w := watch(t, left, "/v1/track/"+s.token+"/live", "")
	w.until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, right.url+"/v1/track/"+s.token+"/events", nil)
	must(t, err)
	stream, err := plainClient.Do(r)
	must(t, err)
	defer stream.Body.Close()
	first := make([]byte, 16)
	if _, err := io.ReadFull(stream.Body, first); err != nil || string(first) != "event: snapshot\n" {
		t.Fatalf("%q, %v", first, err)
	}
	began := time.Now()
	call(t, "POST", api.url+"/v1/deliveries/"+s.deliveryID+"/link/revoke", d.merchantKey, nil, nil, 200)
	if code := <-w.closed; code != 4003 {
		t.Errorf("the socket is closed with %d", code)
	}
	rest, err := io.ReadAll(stream.Body)
	if err != nil || !strings.Contains(string(rest), `"code":"revoked"`) {
		t.Errorf("the stream ends with %v: %s", err, rest)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
