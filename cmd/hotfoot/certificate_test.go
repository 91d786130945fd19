package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// authority signs certificates for a name.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	must(t, err)
	a.cert, err = x509.ParseCertificate(der)
	must(t, err)
	a.pool.AddCert(a.cert)
	return a
}

// write makes a certificate with a serial number, and puts its files where a node looks for them: each whole, as those who renew certificates do.
func (a *authority) write(serial int64, certFile, keyFile string) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"track.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	must(a.t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(a.t, err)
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		must(a.t, os.WriteFile(name+".part", pem.EncodeToMemory(block), 0o600))
		must(a.t, os.Rename(name+".part", name))
	}
}

// A node with a certificate speaks TLS and nothing else on its public port: pages, API, streams and sockets.
func TestServe_TLS(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	a, dir := newAuthority(t), t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.write(7, certFile, keyFile)
	d.env = append(d.env, "HOTFOOT_TLS_CERT="+certFile, "HOTFOOT_TLS_KEY="+keyFile)
	node := d.start("api,gateway,worker")
	address := strings.TrimPrefix(node.url, "http://")
	node.url = "https://" + address
	secured := &tls.Config{RootCAs: a.pool}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secured}, Timeout: 20 * time.Second}
	do := func(method, path, key, body string, want int) (*http.Response, []byte) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, node.url+path, strings.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		if key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		response, err := client.Do(request)
		must(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		if response.StatusCode != want {
			t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, text)
		}
		return response, text
	}
	if response, _ := do("GET", "/docs", "", "", 200); response.Header.Get("Strict-Transport-Security") == "" || response.TLS.Version < tls.VersionTLS12 {
		t.Errorf("TLS %x, HSTS %q", response.TLS.Version, response.Header.Get("Strict-Transport-Security"))
	}
	if response, err := plainClient.Get("http://" + address + "/readyz"); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %v, %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	old := secured.Clone()
	old.MaxVersion = tls.VersionTLS11
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
	health := d.command("health", "--url", "http://"+address+"/readyz")
	if said, err := health.CombinedOutput(); err != nil {
		t.Errorf("health: %v %s", err, said)
	}

	var courier, delivery struct {
		ID, Token string
		Link      string `json:"tracking_token"`
		URL       string `json:"tracking_url"`
	}
	_, text := do("POST", "/v1/couriers", d.merchantKey, `{"name":"Sam","vehicle":"bike"}`, 201)
	must(t, json.Unmarshal(text, &courier))
	do("PUT", "/v1/courier/shift", courier.Token, `{"on_duty":true}`, 200)
	_, text = do("POST", "/v1/deliveries", d.merchantKey, `{"pickup":{"lat":37.7812,"lon":-122.4112},"dropoff":{"lat":37.7893,"lon":-122.401},"courier_id":"`+courier.ID+`"}`, 201)
	must(t, json.Unmarshal(text, &delivery))
	if !strings.HasPrefix(delivery.URL, node.url+"/t/") {
		t.Errorf("the link is %s", delivery.URL)
	}

	dialer := &websocket.Dialer{Subprotocols: []string{"hotfoot.v1"}, TLSClientConfig: secured, HandshakeTimeout: 20 * time.Second}
	open := func(path, key, origin string) (*websocket.Conn, *http.Response, error) {
		header := http.Header{}
		if key != "" {
			header.Set("Authorization", "Bearer "+key)
		}
		if origin != "" {
			header.Set("Origin", origin)
		}
		return dialer.DialContext(t.Context(), "wss://"+address+path, header)
	}
	path := "/v1/track/" + delivery.Link + "/live"
	for origin, want := range map[string]bool{node.url: true, "http://" + address: false, "https://evil.example": false} {
		conn, response, err := open(path, "", origin)
		if want != (err == nil) {
			t.Errorf("Origin %s: %v, %v", origin, response, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	viewer, _, err := open(path, "", "")
	must(t, err)
	defer viewer.Close()
	phone, _, err := open("/v1/courier/live", courier.Token, "")
	must(t, err)
	defer phone.Close()
	ops, _, err := open("/v1/ops/live", d.opsKey, "")
	must(t, err)
	defer ops.Close()
	until := func(conn *websocket.Conn, kind string) {
		t.Helper()
		must(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		for {
			var f struct{ Type string }
			if err := conn.ReadJSON(&f); err != nil {
				t.Fatalf("before %s: %v", kind, err)
			}
			if f.Type == kind {
				return
			}
		}
	}
	until(viewer, "snapshot")
	until(phone, "route")
	for n, status := range []string{"picked_up", "en_route"} {
		do("POST", "/v1/courier/deliveries/"+delivery.ID+"/status", courier.Token, `{"status":"`+status+`","client_event_id":"`+string(rune('a'+n))+`"}`, 200)
		until(viewer, "status")
	}
	must(t, phone.WriteMessage(websocket.TextMessage, []byte(`{"type":"positions","id":1,"positions":[{"lat":37.7812,"lon":-122.4112,"recorded_at":"`+time.Now().UTC().Format(time.RFC3339Nano)+`"}]}`)))
	until(phone, "receipt")
	until(viewer, "position")
	must(t, ops.WriteMessage(websocket.TextMessage, []byte(`{"type":"view","bbox":[-123,37,-122,38],"zoom":12}`)))
	until(ops, "frame")
	must(t, viewer.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", 5000))))
	for err = nil; err == nil; {
		_, _, err = viewer.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("after 5,000 bytes: %v", err)
	}

	// Who renews the certificate need not restart anything; a mess in between ends nothing.
	must(t, os.WriteFile(keyFile, []byte("half a file"), 0o600))
	serial := func() int64 {
		conn, err := tls.Dial("tcp", address, secured)
		must(t, err)
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	eventually(t, "complaint about half a file", func() (bool, string) {
		return serial() == 7 && strings.Contains(node.logs.String(), "the old one goes on"), node.logs.String()
	})
	a.write(8, certFile, keyFile)
	eventually(t, "new certificate", func() (bool, string) { return serial() == 8, "" })
}

func TestNodeFlags_TLS(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*nodeFlags){
		"HOTFOOT_TLS_KEY": func(f *nodeFlags) { f.TLSCert = "x" }, "HOTFOOT_TLS_CERT": func(f *nodeFlags) { f.TLSKey = "x" },
	} {
		f := validFlags()
		if spoil(&f); f.validate() == nil || !strings.Contains(f.validate().Error(), name) {
			t.Errorf("%s: %v", name, f.validate())
		}
	}
	if _, err := newCertificate("/none/cert.pem", "/none/key.pem", nil); err == nil {
		t.Error("files that are not there are loaded")
	}
}
