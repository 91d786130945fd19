package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Place is where something is picked up or dropped off.
type Place struct {
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	Address string  `json:"address,omitempty"`
	Name    string  `json:"name,omitempty"`
}

// Recipient is who gets the delivery.
type Recipient struct {
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
}

// Window is when the delivery was promised.
type Window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// NewDelivery describes a delivery to create. With CourierID it is created and assigned in one. IdempotencyKey makes
// it safe to repeat; without one an attempt whose answer was lost is not repeated.
type NewDelivery struct {
	ExternalID     string     `json:"external_id,omitempty"`
	Pickup         Place      `json:"pickup"`
	Dropoff        Place      `json:"dropoff"`
	Recipient      *Recipient `json:"recipient,omitempty"`
	Window         *Window    `json:"window,omitempty"`
	CourierID      string     `json:"courier_id,omitempty"`
	Note           string     `json:"note,omitempty"`
	IdempotencyKey string     `json:"-"`
}

// Delivery is one delivery as its merchant and its courier see it. TrackingToken and TrackingURL are the customer's link.
type Delivery struct {
	ID            string     `json:"id"`
	ExternalID    string     `json:"external_id"`
	Status        string     `json:"status"`
	Ver           int64      `json:"ver"`
	Epoch         int64      `json:"epoch"`
	CourierID     string     `json:"courier_id"`
	StopsBefore   *int       `json:"stops_before"`
	Pickup        Place      `json:"pickup"`
	Dropoff       Place      `json:"dropoff"`
	Recipient     *Recipient `json:"recipient"`
	Window        *Window    `json:"window"`
	Note          string     `json:"note"`
	TrackingToken string     `json:"tracking_token"`
	TrackingURL   string     `json:"tracking_url"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	FinishedAt    *time.Time `json:"finished_at"`
}

// CreateDelivery adds a delivery. Called as: merchant.
func (c *Client) CreateDelivery(ctx context.Context, in NewDelivery) (Delivery, error) {
	var out Delivery
	q := call{op: "create delivery", method: http.MethodPost, path: "/v1/deliveries", body: in, out: &out}
	if in.IdempotencyKey != "" {
		q.header = http.Header{"Idempotency-Key": {in.IdempotencyKey}}
		q.harmless = true
	}
	err := c.do(ctx, q)
	return out, err
}

// GetDelivery reads a delivery. Called as: merchant.
func (c *Client) GetDelivery(ctx context.Context, id string) (Delivery, error) {
	var out Delivery
	err := c.do(ctx, call{op: "get delivery", method: http.MethodGet, path: "/v1/deliveries/" + url.PathEscape(id), out: &out, harmless: true})
	return out, err
}

// Assign gives a delivery to a courier: at index *position of the route, or at its end when nil. Called as: merchant.
func (c *Client) Assign(ctx context.Context, id, courierID string, position *int) (Delivery, error) {
	body := struct {
		CourierID string `json:"courier_id"`
		Position  *int   `json:"position,omitempty"`
	}{courierID, position}
	var out Delivery
	path := "/v1/deliveries/" + url.PathEscape(id) + "/assign"
	err := c.do(ctx, call{op: "assign delivery", method: http.MethodPost, path: path, body: body, out: &out})
	return out, err
}
