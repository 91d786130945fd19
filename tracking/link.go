package tracking

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"sync"
)

// Linker makes and opens tracking links. A token is the delivery's id and the link's generation, encrypted and authenticated
// under keys derived from one secret:
//
//	tag   = HMAC-SHA-256(k1, generation ‖ id)[:16]
//	token = base64url(tag ‖ AES-128-CTR(k2, iv = tag, generation ‖ id))        44 characters
//
// (the construction of SIV, RFC 5297: deterministic, misuse-resistant). So a link can be shown again without being stored, a leaked
// database opens none, a forgery (2^-128) costs no store access, and raising the delivery's generation revokes every earlier link.
type Linker struct {
	macs   sync.Pool // of hash.Hash: to begin one anew costs less than a quarter of making it
	cipher cipher.Block
}

const (
	tagSize   = 16
	plainSize = 1 + 16
)

// errToken carries no detail: malformed, forged and truncated tokens must look alike.
var errToken = Errorf(CodeNotFound, "no such tracking link")

// NewLinker derives the keys. The secret needs at least 32 bytes; the error says so without showing it.
func NewLinker(secret []byte) (*Linker, error) {
	if len(secret) < 32 {
		return nil, errors.New("the secret must have at least 32 bytes")
	}
	derive := func(label string) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(label))
		return h.Sum(nil)
	}
	block, err := aes.NewCipher(derive("hotfoot link encryption")[:16])
	if err != nil {
		return nil, err
	}
	mac := derive("hotfoot link authentication")
	return &Linker{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, mac) }}, cipher: block}, nil
}

// Token is the capability for one delivery.
func (l *Linker) Token(delivery ID, generation uint8) string {
	var b [tagSize + plainSize]byte
	b[tagSize] = generation
	copy(b[tagSize+1:], delivery[:])
	l.tag(b[:tagSize], b[tagSize:])
	cipher.NewCTR(l.cipher, b[:tagSize]).XORKeyStream(b[tagSize:], b[tagSize:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Open gives back what Token was made from. Any other string is one and the same CodeNotFound.
func (l *Linker) Open(token string) (delivery ID, generation uint8, err error) {
	var b [tagSize + plainSize]byte
	if len(token) != base64.RawURLEncoding.EncodedLen(len(b)) {
		return ID{}, 0, errToken
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(b[:], []byte(token)); err != nil || n != len(b) {
		return ID{}, 0, errToken
	}
	cipher.NewCTR(l.cipher, b[:tagSize]).XORKeyStream(b[tagSize:], b[tagSize:])
	var want [tagSize]byte
	l.tag(want[:], b[tagSize:])
	if !hmac.Equal(want[:], b[:tagSize]) {
		return ID{}, 0, errToken
	}
	return ID(b[tagSize+1:]), b[tagSize], nil
}

func (l *Linker) tag(dst, plain []byte) {
	h := l.macs.Get().(hash.Hash)
	h.Reset()
	h.Write(plain)
	var sum [sha256.Size]byte
	copy(dst, h.Sum(sum[:0]))
	l.macs.Put(h)
}
