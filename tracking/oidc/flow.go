package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// flowLife is how long somebody has to sign in at the provider.
const flowLife = 10 * time.Minute

// flow is one attempt to sign in, as it is known while its owner is away at the provider.
type flow struct {
	until                  time.Time // in whole seconds
	state, nonce, verifier [32]byte
}

func newFlow(now time.Time) flow {
	f := flow{until: now.Add(flowLife).Truncate(time.Second)}
	for _, b := range []*[32]byte{&f.state, &f.nonce, &f.verifier} {
		_, _ = rand.Read(b[:])
	}
	return f
}

// spelled is how 256 random bits travel in addresses. 43 of these characters are a verifier of PKCE, too (RFC 7636 section 4.1).
func spelled(b [32]byte) string { return base64.RawURLEncoding.EncodeToString(b[:]) }

// flows makes and opens what a browser holds of a flow, encrypted and authenticated under a key of its own that is derived from the secret:
//
//	base64url(AES-256-GCM(k, until ‖ state ‖ nonce ‖ verifier), its random nonce in front)        176 characters
//
// So a flow is stored nowhere, and may come back to another node than it began on.
type flows struct{ aead cipher.AEAD }

const (
	flowPlain  = 8 + 3*32
	flowSealed = 12 + flowPlain + 16
)

// errFlow carries no detail: a flow that is missing, forged or old must look alike.
var errFlow = failed("the browser brought back no cookie of ours, or an old one")

func newFlows(secret []byte) (*flows, error) {
	if len(secret) < 32 {
		return nil, errors.New("the secret must have at least 32 bytes")
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("hotfoot sign-in encryption"))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &flows{aead}, err
}

func (s *flows) seal(f flow) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, flowPlain), uint64(f.until.Unix()))
	for _, part := range [][32]byte{f.state, f.nonce, f.verifier} {
		b = append(b, part[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, b, nil))
}

// open gives back what seal was given. Errors: errFlow.
func (s *flows) open(text string, now time.Time) (flow, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(flowSealed) {
		return flow{}, errFlow
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return flow{}, errFlow
	}
	b, err := s.aead.Open(nil, nil, sealed, nil)
	if err != nil || len(b) != flowPlain {
		return flow{}, errFlow
	}
	f := flow{
		until: time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC(),
		state: [32]byte(b[8:]), nonce: [32]byte(b[40:]), verifier: [32]byte(b[72:]),
	}
	if !now.Before(f.until) {
		return flow{}, errFlow
	}
	return f, nil
}
