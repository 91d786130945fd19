package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// The statuses a courier reports.
const (
	StatusPickedUp  = "picked_up"
	StatusEnRoute   = "en_route"
	StatusArriving  = "arriving"
	StatusDelivered = "delivered"
	StatusFailed    = "failed"
	StatusReturned  = "returned"
)

// Proof is what shows that a delivery was handed over.
type Proof struct {
	LeftAt string `json:"left_at,omitempty"`
	Name   string `json:"name,omitempty"`
}

// StatusChange is what a courier did. With a ClientEventID it is safe to repeat: the server answers the same again.
type StatusChange struct {
	Status        string     `json:"status"`
	ClientEventID string     `json:"client_event_id"`
	At            *time.Time `json:"at,omitempty"`
	Position      *Position  `json:"position,omitempty"`
	Reason        string     `json:"reason,omitempty"`
	Proof         *Proof     `json:"proof,omitempty"`
}

// StatusReply is the delivery's state after the change.
type StatusReply struct {
	Status string `json:"status"`
	Ver    int64  `json:"ver"`
}

// PostStatus reports a status change of a delivery. Called as: courier.
func (c *Client) PostStatus(ctx context.Context, deliveryID string, change StatusChange) (StatusReply, error) {
	if change.At != nil {
		at := change.At.UTC().Truncate(time.Millisecond)
		change.At = &at
	}
	var out StatusReply
	err := c.do(ctx, call{
		op:       "post status " + change.Status,
		method:   http.MethodPost,
		path:     "/v1/courier/deliveries/" + url.PathEscape(deliveryID) + "/status",
		body:     change,
		out:      &out,
		harmless: change.ClientEventID != "",
	})
	return out, err
}
