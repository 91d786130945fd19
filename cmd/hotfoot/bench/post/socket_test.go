//go:build linux

package post

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/cmd/hotfoot/bench/socket"
)

// sockets is a load of messages for a server that does with each what a test wants. As a courier's does, it says something unasked first and now and then.
func sockets(t *testing.T, answer func(message string) string) Load {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"route","deliveries":[]}`)) != nil {
			return
		}
		for {
			_, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			for said := range strings.Lines(answer(string(message))) {
				if conn.WriteMessage(websocket.TextMessage, []byte(strings.TrimSpace(said))) != nil {
					return
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	return Load{
		Addresses: []string{address}, Connections: 3, Requests: 60,
		Open: func(int) []byte { return socket.Handshake(address, "/live", "k") },
		Request: func(b []byte, _, _ int, _ time.Time) []byte {
			return AppendMessage(b, []byte(`{"lat":1}`))
		},
	}
}

func TestLoad_Run_sockets(t *testing.T) {
	t.Parallel()
	const taken = `{"type":"receipt","id":null,"accepted_seq":1}`
	load := sockets(t, func(message string) string {
		if message != `{"type":"positions","lat":1}` {
			t.Errorf("the server was told %s", message)
		}
		return `{"type":"route","deliveries":[1]}` + "\n" + taken + "\n" + `{"type":"route","deliveries":[2]}`
	})
	if r, err := load.Run(t.Context()); err != nil || r.Requests != 60 {
		t.Errorf("%d of 60 answered, %v", r.Requests, err)
	}

	refused := sockets(t, func(string) string { return `{"type":"receipt","code":"off_shift"}` })
	if r, err := refused.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "off_shift") || r.Requests != 0 {
		t.Errorf("%d answered, and a refusal is told as %v", r.Requests, err)
	}

	strange := load
	strange.Open = func(int) []byte { return socket.Handshake("x", "/live", "another") }
	if _, err := strange.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a handshake that is refused is told as %v", err)
	}
}

func FuzzCutReceipt(f *testing.F) {
	unmasked := func(text string) string { return string([]byte{0x81, byte(len(text))}) + text }
	const taken = `{"type":"receipt","accepted_seq":1}`
	f.Add(unmasked(taken))
	f.Add(unmasked(`{"type":"route"}`) + unmasked(`{"type":"receipt","code":"full"}`))
	f.Add("\x88\x02\x03\xe8")
	f.Add("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff")
	f.Fuzz(func(t *testing.T, text string) {
		size, refusal, err := cutReceipt([]byte(text))
		if size < 0 || size > len(text) || err != nil && size != 0 || refusal != nil && size == 0 {
			t.Fatalf("%d of %d bytes, %v, %v", size, len(text), refusal, err)
		}
		if size > 0 {
			if part, _, _ := cutReceipt([]byte(text[:size-1])); part != 0 {
				t.Fatalf("%d bytes of a receipt of %d are one", part, size)
			}
		}
	})
}
