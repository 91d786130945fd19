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

// Passes makes and opens what a browser holds of a dispatcher in place of their key. A pass names the key's hash and when it ends, and is authenticated
// under a key of its own that is derived from the secret:
//
//	pass = base64url(end ‖ hash ‖ HMAC-SHA-256(k, end ‖ hash))        96 characters
//
// So it is stored nowhere, costs no store to open, and ends with its key.
type Passes struct{ mac []byte }

const passPlain = 8 + sha256.Size

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

// Seal makes the pass of a key's holder.
func (s *Passes) Seal(keyHash [32]byte, until time.Time) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, passPlain+sha256.Size), uint64(until.Unix()))
	b = append(b, keyHash[:]...)
	return base64.RawURLEncoding.EncodeToString(s.tag(b, b))
}

// Open answers the hash of the key that a pass was made with, and when it ends. Errors: CodeUnauthorized, one and the same for all that open nothing.
func (s *Passes) Open(pass string, now time.Time) (keyHash [32]byte, until time.Time, err error) {
	var b [passPlain + sha256.Size]byte
	if len(pass) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return keyHash, until, errPass
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(pass)); err != nil || n != len(b) {
		return keyHash, until, errPass
	}
	var want [sha256.Size]byte
	s.tag(want[:0], b[:passPlain])
	until = time.Unix(int64(binary.BigEndian.Uint64(b[:8])), 0).UTC()
	if !hmac.Equal(want[:], b[passPlain:]) || !now.Before(until) {
		return keyHash, time.Time{}, errPass
	}
	return [32]byte(b[8:passPlain]), until, nil
}

// tag adds the tag of plain to dst.
func (s *Passes) tag(dst, plain []byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	h.Write(plain)
	return h.Sum(dst)
}
