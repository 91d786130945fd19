package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type (
	keyBody struct {
		ID        string     `json:"id"`
		Role      string     `json:"role"`
		Label     string     `json:"label"`
		EndsIn    string     `json:"ends_in" doc:"The secret's last four characters"`
		Secret    string     `json:"secret,omitempty" doc:"Shown this once"`
		CreatedAt frame.Time `json:"created_at"`
		ExpiresAt frame.Time `json:"expires_at" doc:"null for never"`
		RevokedAt frame.Time `json:"revoked_at" doc:"null while it was not revoked"`
	}
	keyPath struct {
		ID string `path:"id"`
	}
	overlapBody struct {
		OverlapS int `json:"overlap_s,omitempty" minimum:"0" maximum:"2592000" doc:"How long the old one goes on; 0 ends it at once"`
	}
)

func keyOut(k tracking.KeyState) keyBody {
	return keyBody{
		ID: k.ID.String(), Role: string(k.Role), Label: k.Label, EndsIn: k.Hint,
		CreatedAt: frame.Time(k.CreatedAt), ExpiresAt: frame.Time(k.ExpiresAt), RevokedAt: frame.Time(k.RevokedAt),
	}
}

func (s *Server) mountKeys() {
	merchant := tracking.RoleMerchant
	create := s.operation("Keys", "create-key", http.MethodPost, "/v1/keys", "Make a key for your software or your dispatchers", merchant)
	create.DefaultStatus = http.StatusCreated
	rotate := s.operation("Keys", "rotate-key", http.MethodPost, "/v1/keys/{id}/rotate", "Make a key in place of another", merchant)
	rotate.DefaultStatus = http.StatusCreated
	revoke := s.operation("Keys", "revoke-key", http.MethodDelete, "/v1/keys/{id}", "End a key at once, also on open sockets", merchant)
	revoke.DefaultStatus = http.StatusNoContent
	register(s, create, s.createKey)
	register(s, s.operation("Keys", "list-keys", http.MethodGet, "/v1/keys", "List keys but couriers', newest first", merchant), s.listKeys)
	register(s, rotate, s.rotateKey)
	register(s, revoke, s.revokeKey)
}

func (s *Server) createKey(ctx context.Context, in *struct {
	Body struct {
		Role      string     `json:"role" enum:"merchant,ops" doc:"merchant: everything; ops: dispatching"`
		Label     string     `json:"label,omitempty" maxLength:"200" doc:"A note for yourself"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}
},
) (*out[keyBody], error) {
	key, secret, err := s.Locksmith.Cut(ctx, actorOf(ctx), tracking.Role(in.Body.Role), in.Body.Label, deref(in.Body.ExpiresAt))
	return keyWith(secret, key, err)
}

func keyWith(secret string, key tracking.KeyState, err error) (*out[keyBody], error) {
	if err != nil {
		return nil, err
	}
	body := keyOut(key)
	body.Secret = secret
	return &out[keyBody]{body}, nil
}

func (s *Server) listKeys(ctx context.Context, in *struct {
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
},
) (*out[page[keyBody]], error) {
	before, err := parseBodyID("query.cursor", in.Cursor)
	if err != nil {
		return nil, err
	}
	keys, err := s.Locksmith.Keys(ctx, actorOf(ctx), before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	cursorOf := func(k tracking.KeyState) string { return k.ID.String() }
	return &out[page[keyBody]]{pageOf(keys, in.Limit, cursorOf, keyOut)}, nil
}

func (s *Server) rotateKey(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body overlapBody
},
) (*out[keyBody], error) {
	id, err := parseID(in.ID, "key")
	if err != nil {
		return nil, err
	}
	key, secret, err := s.Locksmith.Replace(ctx, actorOf(ctx), id, time.Duration(in.Body.OverlapS)*time.Second)
	return keyWith(secret, key, err)
}

func (s *Server) revokeKey(ctx context.Context, in *keyPath) (*struct{}, error) {
	id, err := parseID(in.ID, "key")
	if err != nil {
		return nil, err
	}
	return nil, s.Locksmith.Revoke(ctx, actorOf(ctx), id)
}
