package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/store/private"
	"hotfoot/store/storetest"
)

// An operator ends a key on one machine, and every socket that it opened on any node is closed, at once.
func TestServe_revoked_key(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	api, gateways := d.start("api"), []*process{d.start("gateway"), d.start("gateway")}
	var made struct{ ID, Secret string }
	call(t, "POST", api.url+"/v1/keys", d.merchantKey, map[string]any{"role": "ops", "label": "tablet"}, &made, 201)
	closed := make(chan int, len(gateways))
	for _, g := range gateways {
		dialer := &websocket.Dialer{Subprotocols: []string{"hotfoot.v1", "bearer." + made.Secret}}
		conn, _, err := dialer.Dial(strings.Replace(g.url, "http", "ws", 1)+"/v1/ops/live", nil)
		must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		go func() {
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					code := 0
					if e, ok := err.(*websocket.CloseError); ok {
						code = e.Code
					}
					closed <- code
					return
				}
			}
		}()
	}
	began := time.Now()
	var out, problems bytes.Buffer
	revoke := d.command("keys", "revoke", made.ID)
	revoke.Stdout, revoke.Stderr = &out, &problems
	if err := revoke.Run(); err != nil || !strings.Contains(out.String(), "revoked") {
		t.Fatalf("%v: %s%s", err, &out, &problems)
	}
	for range gateways {
		select {
		case code := <-closed:
			if code != 4003 {
				t.Errorf("closed with %d", code)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a socket outlives its key")
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	call(t, "GET", api.url+"/v1/ops/stats", made.Secret, nil, nil, 401)
}

// Redis is gone, so that no node hears anything: what Postgres says of a key and of a link is noticed all the same.
func TestServe_revoked_without_Redis(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	redis, err := private.StartRedis(t.Context(), private.Config{Dir: storetest.Dir(t)})
	must(t, err)
	t.Cleanup(redis.Kill)
	d.env = append(d.env, "REDIS_URL="+redis.URL())
	api, gateway := d.start("api,worker"), d.start("gateway")
	s := d.stage(api.url)
	var made struct{ ID, Secret string }
	call(t, "POST", api.url+"/v1/keys", d.merchantKey, map[string]any{"role": "ops"}, &made, 201)
	customer, dispatcher := watch(t, gateway, "/v1/track/"+s.token+"/live", ""), watch(t, gateway, "/v1/ops/live", made.Secret)
	customer.until("a snapshot", func(f received) bool { return f.Type == "snapshot" })
	redis.Kill()
	began := time.Now()
	call(t, "POST", api.url+"/v1/deliveries/"+s.deliveryID+"/link/revoke", d.merchantKey, nil, nil, 200)
	call(t, "DELETE", api.url+"/v1/keys/"+made.ID, d.merchantKey, nil, nil, 204)
	for what, w := range map[string]*watcher{"customer's": customer, "dispatcher's": dispatcher} {
		select {
		case code := <-w.closed:
			if code != 4003 {
				t.Errorf("the %s socket is closed with %d", what, code)
			}
			t.Logf("the %s socket is closed after %v", what, time.Since(began))
		case <-time.After(time.Until(began.Add(time.Minute))):
			t.Fatalf("the %s socket is open a minute later", what)
		}
	}
}
