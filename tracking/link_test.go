package tracking

import (
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func newTestLinker(t testing.TB, secret string) *Linker {
	t.Helper()
	l, err := NewLinker([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const linkSecret = "0123456789abcdef0123456789abcdef"

func TestNewLinker(t *testing.T) {
	t.Parallel()
	short := strings.Repeat("s", 31)
	if _, err := NewLinker([]byte(short)); err == nil || strings.Contains(err.Error(), short) {
		t.Errorf("got %v", err)
	}
}

func TestLinker_Open(t *testing.T) {
	t.Parallel()
	l := newTestLinker(t, linkSecret)
	t.Run("gives back what Token was made from", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
			generation := rapid.Uint8().Draw(t, "generation")
			token := l.Token(id, generation)
			if len(token) != 44 || strings.ContainsAny(token, "+/=") {
				t.Fatalf("token %q", token)
			}
			got, g, err := l.Open(token)
			if err != nil || got != id || g != generation {
				t.Fatalf("got %s %d %v", got, g, err)
			}
			if l.Token(id, generation) != token {
				t.Fatal("the same link has two tokens")
			}
			if l.Token(id, generation+1) == token {
				t.Fatal("a revoked link is the new one")
			}
		})
	})
	t.Run("any other string does not open", func(t *testing.T) {
		t.Parallel()
		good := l.Token(NewID(), 0)
		bad := []string{
			"", "x", good + "A", good[1:], good + "=", " " + good, good + "\n", strings.Repeat("A", 44), strings.Repeat("é", 22), strings.ReplaceAll(good, good[:1], "+"),
			good[:20] + "\n" + good[20:43], NewID().String(), strings.Repeat("A", 1<<20), newTestLinker(t, linkSecret+"x").Token(NewID(), 0),
		}
		for n := range 100 {
			if n != 33 {
				bad = append(bad, base64.RawURLEncoding.EncodeToString(make([]byte, n)))
			}
		}
		for n := range len(good) {
			bad = append(bad, good[:n])
		}
		for _, token := range bad {
			id, g, err := l.Open(token)
			if err != error(errToken) || !id.IsZero() || g != 0 {
				t.Errorf("%.50q: %s %d %v", token, id, g, err)
			}
		}
		if errToken.Code != CodeNotFound {
			t.Errorf("the error is %s", errToken.Code)
		}
	})
	t.Run("one token has one spelling", func(t *testing.T) {
		t.Parallel()
		// 33 bytes fill 44 characters exactly; a decoder that skips line feeds would take others.
		good := l.Token(NewID(), 0)
		for i := range good {
			if _, _, err := l.Open(good[:i] + "\r\n" + good[i:]); err == nil {
				t.Errorf("a line feed at %d opens", i)
			}
		}
	})
}

func FuzzLinker_Open(f *testing.F) {
	l := newTestLinker(f, linkSecret)
	f.Add(l.Token(NewID(), 0))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		id, g, err := l.Open(token)
		if err == nil && l.Token(id, g) != token {
			t.Errorf("%q opens as %s %d, whose token is another", token, id, g)
		}
	})
}

func BenchmarkLinker_Open(b *testing.B) {
	l := newTestLinker(b, "a secret of at least thirty-two bytes")
	token := l.Token(NewID(), 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := l.Open(token); err != nil {
			b.Fatal(err)
		}
	}
}
