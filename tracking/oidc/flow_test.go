package oidc

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func flowsOf(t testing.TB, secret string) *flows {
	t.Helper()
	s, err := newFlows([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFlows(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s, f := flowsOf(t, strings.Repeat("k", 32)), newFlow(now)
	text := s.seal(f)
	if got, err := s.open(text, now); err != nil || got.state != f.state || got.nonce != f.nonce || got.verifier != f.verifier || !got.until.Equal(f.until) {
		t.Errorf("opened %v, %v", got, err)
	}
	if len(text) != 176 || text == s.seal(f) || strings.Contains(text, spelled(f.verifier)) {
		t.Errorf("it reads %s", text)
	}
	if f.state == f.nonce || f.nonce == f.verifier || newFlow(now) == f {
		t.Error("two secrets are the same")
	}
	refused := func(what, text string, s *flows, at time.Time) {
		t.Helper()
		if got, err := s.open(text, at); err != errFlow || got != (flow{}) {
			t.Errorf("%s: opened %v, %v", what, got, err)
		}
	}
	refused("at its end", text, s, f.until)
	refused("under another secret", text, flowsOf(t, strings.Repeat("l", 32)), now)
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		sealed[i] ^= 1
		refused("with a bit changed", base64.RawURLEncoding.EncodeToString(sealed), s, now)
		sealed[i] ^= 1
	}
	if _, err := newFlows([]byte("short")); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: %v", err)
	}
}

// Nobody makes a flow without the secret, whatever they send, be it close to one that opens or not.
func FuzzFlows_open(f *testing.F) {
	s := flowsOf(f, "0123456789abcdef0123456789abcdef")
	now := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	sealed := flow{until: now.Add(flowLife), state: [32]byte{1}, nonce: [32]byte{2}, verifier: [32]byte{3}}
	ours := s.seal(sealed) // another text in each process that takes part
	for _, seed := range []string{ours, ours[:175], ours + "A", strings.ToUpper(ours), strings.Repeat("A", 176), strings.Repeat("_", 176), "", "\x00", ours[:100] + "\n" + ours[100:175]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.open(text, now)
		if err == nil && got != sealed || err != nil && text == ours {
			t.Fatalf("%q: %v, %v", text, got, err)
		}
		if err != nil && (tracking.CodeOf(err) != tracking.CodeUnauthorized || got != (flow{})) {
			t.Fatalf("%q is refused with %v, and says %v", text, err, got)
		}
	})
}
