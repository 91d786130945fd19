package tracking

import (
	"encoding/base64"
	"math/rand/v2"
	"os"
	"testing"
)

// Nobody finds a link by trying, and nobody has a store asked by trying: a million random tokens, and a hundred thousand that are nearly one. In a usual run a
// twentieth of them; all of them with HOTFOOT_LONG=1.
func TestViewing_forgeries(t *testing.T) {
	t.Parallel()
	share := 20
	if os.Getenv("HOTFOOT_LONG") == "1" {
		share = 1
	}
	linker := newTestLinker(t, linkSecret)
	record := &Record{Epoch: 1, Delivery: Delivery{ID: NewID(), LinkGen: 7}}
	genuine := linker.Token(record.Delivery.ID, 7)
	for name, tokens := range map[string]struct {
		count int
		next  func(*rand.Rand) string
	}{
		"random tokens": {1_000_000, func(r *rand.Rand) string { return base64.RawURLEncoding.EncodeToString(noise(r, tagSize+plainSize)) }},
		"near misses":   {100_000, func(r *rand.Rand) string { return nearMiss(r, linker, genuine) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shelf := &kept{sight: Sight{Record: record}}
			u := NewViewing(linker, shelf, ViewingConfig{}, nil)
			u.missTime = 0 // how long they take is not what is asked here, and would take hours
			random := rand.New(rand.NewPCG(3, 4))
			tried := 0
			for range tokens.count / share {
				token := tokens.next(random)
				if token == genuine {
					continue
				}
				tried++
				_, _, err := u.Show(t.Context(), token, nil)
				if err != errToken {
					t.Fatalf("%q is shown something, or told why not: %v", token, err)
				}
				_, err = u.Open(t.Context(), token, Seen{Epoch: 9, Ver: 9}, func(ID) *Record { shelf.asked++; return nil })
				if err != errToken {
					t.Fatalf("%q opens, or says why not: %v", token, err)
				}
			}
			if shelf.asked != 0 {
				t.Errorf("the stores were asked %d times", shelf.asked)
			}
			t.Logf("%d tried: none opens, and nothing was asked", tried)
			// Whoever is not a forger is shown something, and is asked for: what was counted could be.
			u.now = record.Delivery.CreatedAt.UTC
			if _, _, err := u.Show(t.Context(), genuine, nil); err != nil || shelf.asked != 1 {
				t.Errorf("the link itself: %v, after %d reads", err, shelf.asked)
			}
		})
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// nearMiss is a token that is nearly the genuine one, or made of what a forger may have seen.
func nearMiss(r *rand.Rand, linker *Linker, genuine string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	raw, _ := base64.RawURLEncoding.DecodeString(genuine)
	switch r.IntN(8) {
	case 0: // one character changed, or a few
		b := []byte(genuine)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	case 1: // cut short, at either end
		n := r.IntN(len(genuine))
		if r.IntN(2) == 0 {
			return genuine[:n]
		}
		return genuine[n+1:]
	case 2: // another generation: what is encrypted can be flipped without the key
		raw[tagSize] ^= byte(1 + r.IntN(255))
	case 3: // the tag of another delivery's link
		other, _ := base64.RawURLEncoding.DecodeString(linker.Token(NewID(), 7))
		copy(raw[:tagSize], other)
	case 4: // the tag of this delivery's next link
		id, generation, _ := linker.Open(genuine)
		next, _ := base64.RawURLEncoding.DecodeString(linker.Token(id, generation+1))
		copy(raw[:tagSize], next)
	case 5: // one bit changed
		raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
	case 6: // an id
		id, _, _ := linker.Open(genuine)
		if r.IntN(2) == 0 {
			return id.String()
		}
		copy(raw, append(noise(r, tagSize), 7))
		copy(raw[tagSize+1:], id[:])
	case 7: // one character more
		at := r.IntN(len(genuine) + 1)
		return genuine[:at] + string(alphabet[r.IntN(len(alphabet))]) + genuine[at:]
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
