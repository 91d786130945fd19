package api_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// A small body that would unpack to a large one is refused, whatever it calls itself, and costs nothing.
func TestServer_packed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(`{"note":"` + strings.Repeat("x", 32<<20) + `"}`))
	must(t, err)
	must(t, w.Close())
	if packed.Len() > 64<<10 {
		t.Fatalf("%d bytes are refused for their size", packed.Len())
	}
	for _, encoding := range []string{"gzip", "gzip, gzip", "deflate", "br", "identity, gzip", "x"} {
		for path, key := range map[string]string{"/v1/deliveries": s.merchant, "/v1/courier/positions": sam.token} {
			if a := s.do(t, "POST", path, key, packed.String(), "Content-Encoding: "+encoding); a.status != 400 && a.status != 413 && a.status != 415 {
				t.Errorf("%s in %s: %d %s", path, encoding, a.status, a.body)
			}
		}
	}
}
