package tracking

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"
)

// Role is what a key may do.
type Role string

// The roles of keys. Customers have none: their link is their right.
const (
	RoleMerchant Role = "merchant" // everything of one merchant
	RoleOps      Role = "ops"      // dispatching: deliveries, couriers, the live map
	RoleCourier  Role = "courier"  // one courier's own route, shift and positions
	RoleSystem   Role = "system"   // the product itself; no key carries it
	RoleOperator Role = "operator" // whoever runs a command beside the stores; no key carries it
)

// Actor is who does something: the holder of a key.
type Actor struct {
	Role       Role
	MerchantID ID
	CourierID  ID // only for RoleCourier
	KeyID      ID
	KeyHash    [32]byte  // by which the key is looked up
	Until      time.Time // when the key expires; zero for never
	OwnKey     bool      // they came with a session for which the key was cut
}

// Author is who a change is put down to.
type Author struct {
	Kind Role // or "database", for a session there that did not say whose it was
	ID   ID   // of the courier, or of the key; zero without one
}

type authorKey struct{}

// By has what is changed under the context be put down to an actor. It is a note for the audit and nothing else: what an actor may do is decided by the Actor
// itself.
func By(ctx context.Context, actor Actor) context.Context {
	author := Author{Kind: actor.Role, ID: actor.KeyID}
	if actor.Role == RoleCourier {
		author.ID = actor.CourierID
	}
	return context.WithValue(ctx, authorKey{}, author)
}

// AuthorOf is whom changes under the context are put down to: the product itself, unless By said otherwise.
func AuthorOf(ctx context.Context) Author {
	if author, ok := ctx.Value(authorKey{}).(Author); ok {
		return author
	}
	return Author{Kind: RoleSystem}
}

// Key is an API key as it is stored: never the secret itself.
type Key struct {
	ID         ID
	MerchantID ID
	Role       Role
	CourierID  ID
	Hash       [32]byte
	Hint       string // the secret's last four characters
	Label      string
	ExpiresAt  time.Time // zero for never
}

// NewKey makes a key and the secret to show once: "hf_<role>_" and 256 random bits.
func NewKey(merchant ID, role Role, courier ID, label string) (Key, string) {
	var random [32]byte
	_, _ = rand.Read(random[:])
	secret := "hf_" + string(role) + "_" + base64.RawURLEncoding.EncodeToString(random[:])
	return Key{
		ID: NewID(), MerchantID: merchant, Role: role, CourierID: courier,
		Hash: HashSecret(secret), Hint: secret[len(secret)-4:], Label: label,
	}, secret
}

// HashSecret is what is stored and looked up: SHA-256, since 256 random bits need no slow hash.
func HashSecret(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// LooksLikeSecret tells a string that NewKey may have made from one that it cannot have, without asking a store.
func LooksLikeSecret(s string) bool {
	rest, ok := strings.CutPrefix(s, "hf_")
	if !ok {
		return false
	}
	role, random, ok := strings.Cut(rest, "_")
	if !ok || len(random) != 43 {
		return false
	}
	switch Role(role) {
	case RoleMerchant, RoleOps, RoleCourier:
	default:
		return false
	}
	// The decoder skips line feeds, so the length of the text is not enough.
	b, err := base64.RawURLEncoding.Strict().DecodeString(random)
	return err == nil && len(b) == 32
}
