package tracking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// PassLife is how long a dispatcher stays signed in: a long shift.
const PassLife = 12 * time.Hour

// Pass is what a browser holds of a dispatcher in place of their key.
type Pass struct {
	KeyHash [32]byte
	Until   time.Time // in whole seconds
	Own     bool      // the key was cut for this pass, and nobody else has it
}

// Passes makes and opens passes. One names the key's hash and when it ends, and is authenticated under a key of its own that is derived from the secret:
//
//	pass = base64url(own ‖ end ‖ hash ‖ HMAC-SHA-256(k, own ‖ end ‖ hash))        96 characters; own is one bit, end 63
//
// So it is stored nowhere, costs no store to open, and ends with its key.
type Passes struct{ mac []byte }

const (
	passPlain = 8 + sha256.Size
	passOwn   = 1 << 63
)

// errPass carries no detail: forged and expired passes must look alike.
var errPass = Errorf(CodeUnauthorized, "you are not signed in (any more)")

// NewPasses derives the key. The secret needs at least 32 bytes; the error says so without showing it.
func NewPasses(secret []byte) (*Passes, error) {
	if len(secret) < 32 {
		return nil, errors.New("the secret must have at least 32 bytes")
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("hotfoot pass authentication"))
	return &Passes{mac: h.Sum(nil)}, nil
}

// Seal writes a pass for the holder of its key.
func (s *Passes) Seal(pass Pass) string {
	end := uint64(pass.Until.Unix())
	if pass.Own {
		end |= passOwn
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, passPlain+sha256.Size), end)
	b = append(b, pass.KeyHash[:]...)
	return base64.RawURLEncoding.EncodeToString(s.tag(b, b))
}

// Open reads a pass that Seal has written and that has not ended. Errors: CodeUnauthorized, one and the same for all that open nothing.
func (s *Passes) Open(text string, now time.Time) (Pass, error) {
	var b [passPlain + sha256.Size]byte
	if len(text) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return Pass{}, errPass
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(text)); err != nil || n != len(b) {
		return Pass{}, errPass
	}
	var want [sha256.Size]byte
	s.tag(want[:0], b[:passPlain])
	end := binary.BigEndian.Uint64(b[:8])
	pass := Pass{KeyHash: [32]byte(b[8:passPlain]), Until: time.Unix(int64(end&^passOwn), 0).UTC(), Own: end&passOwn != 0}
	if !hmac.Equal(want[:], b[passPlain:]) || !now.Before(pass.Until) {
		return Pass{}, errPass
	}
	return pass, nil
}

// tag adds the tag of plain to dst.
func (s *Passes) tag(dst, plain []byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write(plain)
	return h.Sum(dst)
}
