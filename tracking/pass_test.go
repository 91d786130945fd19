package tracking

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newPasses(t rapid.TB, secret string) *Passes {
	s, err := NewPasses([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPasses(t *testing.T) {
	t.Parallel()
	now, hash := time.Now(), HashSecret("hf_ops_x")
	s := newPasses(t, strings.Repeat("k", 32))
	made := Pass{KeyHash: hash, Until: now.Add(time.Minute).Truncate(time.Second).UTC()}
	pass := s.Seal(made)
	for _, own := range []bool{true, false} {
		made.Own = own
		if got, err := s.Open(s.Seal(made), now); err != nil || got != made {
			t.Errorf("opened %v of %v, %v", got, made, err)
		}
	}
	if len(pass) != 96 {
		t.Errorf("it has %d characters", len(pass))
	}
	refused := func(what, pass string, s *Passes, at time.Time) {
		t.Helper()
		if got, err := s.Open(pass, at); err != errPass || got != (Pass{}) {
			t.Errorf("%s: opened %v, %v", what, got, err)
		}
	}
	refused("at its end", pass, s, now.Add(time.Minute))
	refused("under another secret", pass, newPasses(t, strings.Repeat("l", 32)), now)
	for _, other := range []string{"", pass[1:], pass + "A", pass + "\n", strings.ToLower(pass), "=" + pass[1:], strings.Repeat("A", 96)} {
		refused(other, other, s, now)
	}
	if _, err := NewPasses([]byte("short")); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: %v", err)
	}
	// A link's token is made of the same secret, and is no pass.
	linker, err := NewLinker([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	refused("a link", linker.Token(NewID(), 0), s, now)
}

// Whatever is changed about a session, it opens nothing.
func TestPasses_forged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newPasses(t, strings.Repeat("k", 32))
		now := time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "now"), 0)
		b, err := base64.RawURLEncoding.DecodeString(s.Seal(Pass{KeyHash: HashSecret("x"), Until: now.Add(time.Hour), Own: rapid.Bool().Draw(t, "own")}))
		if err != nil {
			t.Fatal(err)
		}
		b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := s.Open(base64.RawURLEncoding.EncodeToString(b), now); err == nil {
			t.Fatal("it opens")
		}
	})
}

// Nobody makes a pass without the secret, whatever they send, be it close to one that opens or not.
func FuzzPasses_Open(f *testing.F) {
	passes := newPasses(f, "0123456789abcdef0123456789abcdef")
	now := time.Date(2026, 3, 4, 18, 10, 0, 0, time.UTC)
	ours := passes.Seal(Pass{KeyHash: [32]byte{1, 2, 3}, Until: now.Add(PassLife)})
	for _, seed := range []string{ours, ours[:95], ours + "A", strings.ToUpper(ours), strings.Repeat("A", 96), strings.Repeat("_", 96), "", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pass, err := passes.Open(text, now)
		if (err == nil) != (text == ours) {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil && (CodeOf(err) != CodeUnauthorized || pass != (Pass{})) {
			t.Fatalf("%q is refused with %v, and says %v", text, err, pass)
		}
	})
}
