package api_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func zipped(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	must(t, err)
	_, err = io.WriteString(z, body)
	must(t, err)
	must(t, z.Close())
	return b.String()
}

// batch is a report of so many points, as phones write them.
func batch(points int) string {
	now, b := time.Now(), strings.Builder{}
	for i := range points {
		fmt.Fprintf(&b, `,{"seq":%d,"lat":%.6f,"lon":-122.4112,"accuracy_m":%d,"recorded_at":%q}`, i+1, 37.78+float64(i)*1e-5, 4+i%7, stamp(now.Add(time.Duration(i-points)*time.Second)))
	}
	return `{"session":"zip","positions":[` + b.String()[1:] + `]}`
}

func TestServer_packedBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	const gz = "Content-Encoding: gzip"
	send := func(body string, headers ...string) answer {
		return s.do(t, "POST", "/v1/courier/positions", sam.token, body, headers...)
	}
	whole := batch(500)
	packed := zipped(t, whole)
	t.Logf("a report of 500 points: %d bytes, %d as gzip", len(whole), len(packed))
	if got := receipts(t, send(packed, gz).want(t, 202)); strings.Contains(got, "rejected") || strings.Count(got, " ") != 499 {
		t.Errorf("500 packed points are answered %.100s", got)
	}
	s.do(t, "POST", "/v1/deliveries", s.merchant, zipped(t, `{"pickup":{"lat":1,"lon":2},"dropoff":{"lat":3,"lon":4}}`), "Content-Encoding: GZIP").want(t, 201)
	send(batch(1), "Content-Encoding: identity").want2xx(t) // the first of them again, committed meanwhile or not
	for name, c := range map[string]struct {
		body, encoding string
		status         int
		code           tracking.Code
	}{
		"not gzip":                  {whole, "gzip", 400, tracking.CodeMalformed},
		"nothing":                   {"", "gzip", 400, tracking.CodeMalformed},
		"cut off":                   {packed[:len(packed)/2], "gzip", 400, tracking.CodeMalformed},
		"a wrong checksum":          {packed[:len(packed)-8] + "xxxxxxxx", "gzip", 400, tracking.CodeMalformed},
		"something behind it":       {packed + "x", "gzip", 400, tracking.CodeMalformed},
		"gzip within gzip":          {zipped(t, packed), "gzip", 400, tracking.CodeMalformed},
		"gzip twice, and says so":   {zipped(t, packed), "gzip, gzip", 415, tracking.CodeMalformed},
		"gzip after something else": {packed, "deflate, gzip", 415, tracking.CodeMalformed},
		"deflate":                   {packed, "deflate", 415, tracking.CodeMalformed},
		"br":                        {packed, "br", 415, tracking.CodeMalformed},
		"zstd":                      {packed, "zstd", 415, tracking.CodeMalformed},
		"x-gzip":                    {packed, "x-gzip", 415, tracking.CodeMalformed},
		"more than a report may be": {zipped(t, strings.Repeat(whole[:len(whole)-1], 6)), "gzip", 413, tracking.CodeTooLarge},
		"a megabyte of spaces":      {zipped(t, strings.Repeat(" ", 1<<20)), "gzip", 413, tracking.CodeTooLarge},
		"members with nothing":      {strings.Repeat(zipped(t, ""), 20_000), "gzip", 413, tracking.CodeTooLarge},
	} {
		a := send(c.body, "Content-Encoding: "+c.encoding)
		if p := a.refused(t, c.status, c.code); p == nil || t.Failed() {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if c.status == 415 && a.header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s: it is not said what is taken", name)
		}
	}
	// Whoever has no key does not have us unpack anything.
	s.do(t, "POST", "/v1/courier/positions", "", "x", gz).refused(t, 401, tracking.CodeUnauthorized)
}

// A gigabyte in a megabyte costs a few pages. It is not parallel: it measures memory.
func TestServer_bomb(t *testing.T) {
	s := newSite(t)
	sam := s.onDuty(t)
	bomb := strings.Repeat(zipped(t, strings.Repeat("\x00", 1<<20)), 1<<10)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const shots = 20
	for range shots {
		s.do(t, "POST", "/v1/courier/positions", sam.token, bomb, "Content-Encoding: gzip").refused(t, 413, tracking.CodeTooLarge)
	}
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / shots
	t.Logf("%d bytes that become a gigabyte: %d bytes are allocated for each, client and all", len(bomb), each)
	if each > 4<<20 {
		t.Errorf("%d bytes are allocated", each)
	}
}

// What is left of a body that was refused is not the connection's next request.
func TestServer_bombAndWhatFollows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	bomb := zipped(t, strings.Repeat(" ", 600<<10))
	next := "GET /v1/courier/deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + sam.token + "\r\n\r\n"
	body := bomb + strings.Repeat("x", 256<<10) + strings.Repeat(next, 4000)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	wrote := make(chan error, 1)
	go func() {
		_, err := fmt.Fprintf(conn, "POST /v1/courier/positions HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\n\r\n%s",
			len(body), sam.token, body)
		wrote <- err
	}()
	said, _ := io.ReadAll(conn) // however the connection ends
	<-wrote
	if got := strings.Count(string(said), "HTTP/1.1 "); got != 1 || !bytes.HasPrefix(said, []byte("HTTP/1.1 413 ")) {
		t.Errorf("%d answers: %.500q", got, said)
	}
}

// Whoever breaks off is told that it was theirs.
func TestServer_bodiesThatEndTooSoon(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	for name, rest := range map[string]string{
		"a chunk that is none": "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk cut off": "Transfer-Encoding: chunked\r\n\r\n5\r\n{", "shorter than it said": "Content-Length: 100\r\n\r\n{",
	} {
		for path, key := range map[string]string{"/v1/deliveries": s.merchant, "/v1/courier/positions": sam.token} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			must(t, err)
			_, err = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer "+key+"\r\n"+rest)
			must(t, err)
			must(t, conn.(*net.TCPConn).CloseWrite())
			said, err := io.ReadAll(conn)
			must(t, err)
			must(t, conn.Close())
			if !bytes.HasPrefix(said, []byte("HTTP/1.1 400 ")) {
				t.Errorf("%s to %s: %.200q", name, path, said)
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("it is logged as ours:\n%s", log)
	}
}
