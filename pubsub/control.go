package pubsub

import (
	"context"
	"encoding/hex"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.Revoker = (*Control)(nil)

// Control tells every node what all must know.
type Control struct{ client redis.UniversalClient }

// NewControl makes a Control over a client.
func NewControl(client redis.UniversalClient) *Control { return &Control{client: client} }

// Revoke implements tracking.Revoker. What travels is the key's hash, never the key.
func (c *Control) Revoke(ctx context.Context, hashes [][32]byte) error {
	for _, h := range hashes {
		if err := publish(ctx, c.client, key.Control, hex.EncodeToString(h[:])); err != nil {
			return tracking.Unavailable("Redis", err)
		}
	}
	return nil
}
