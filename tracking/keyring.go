package tracking

import (
	"context"
	"time"
)

// Keys is the truth about keys. Errors: CodeUnauthorized (unknown or revoked), CodeUnavailable.
type Keys interface {
	Actor(ctx context.Context, hash [32]byte) (Actor, error)
}

// HotKeys remembers whose keys were seen lately. Errors: CodeNotFound, CodeUnavailable.
type HotKeys interface {
	KeepActor(ctx context.Context, hash [32]byte, actor Actor) error
	KeptActor(ctx context.Context, hash [32]byte) (Actor, error)
}

// Keyring says whose key a secret is. The truth is asked whenever it answers. While it is away, keys that any node has seen lately still
// open, so that a node that was just started takes positions all the same; a key revoked meanwhile is one that the truth did not know
// to be revoked either.
type Keyring struct {
	truth Keys
	hot   HotKeys
}

const keepLimit = 100 * time.Millisecond

// NewKeyring ties the use case to its ports.
func NewKeyring(truth Keys, hot HotKeys) *Keyring { return &Keyring{truth: truth, hot: hot} }

// Actor is whose key hashes to this. Errors: CodeUnauthorized, CodeUnavailable.
func (k *Keyring) Actor(ctx context.Context, hash [32]byte) (Actor, error) {
	actor, err := k.truth.Actor(ctx, hash)
	if CodeOf(err) != CodeUnavailable {
		if err == nil {
			// Without it the key is known to this node alone, and nobody waits long for that.
			ctx, cancel := context.WithTimeout(ctx, keepLimit)
			defer cancel()
			_ = k.hot.KeepActor(ctx, hash, actor)
		}
		return actor, err
	}
	if kept, hotErr := k.hot.KeptActor(ctx, hash); hotErr == nil {
		return kept, nil
	}
	return Actor{}, err
}
