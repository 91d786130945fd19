package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Courier is one courier. Token is set only in the answer that created it.
type Courier struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Vehicle   string    `json:"vehicle"`
	Phone     string    `json:"phone"`
	OnDuty    bool      `json:"on_duty"`
	Token     string    `json:"token"`
	CreatedAt time.Time `json:"created_at"`
}

// NewCourier describes a courier to create. Vehicle is bike, scooter, car, van or foot.
type NewCourier struct {
	Name    string `json:"name"`
	Vehicle string `json:"vehicle"`
	Phone   string `json:"phone,omitempty"`
}

// CreateCourier adds a courier. Called as: merchant.
func (c *Client) CreateCourier(ctx context.Context, in NewCourier) (Courier, error) {
	var out Courier
	err := c.do(ctx, call{op: "create courier", method: http.MethodPost, path: "/v1/couriers", body: in, out: &out})
	return out, err
}

// ListCouriers returns all couriers, page by page. Called as: merchant.
func (c *Client) ListCouriers(ctx context.Context) ([]Courier, error) {
	var all []Courier
	path := "/v1/couriers"
	for {
		var page struct {
			Items      []Courier `json:"items"`
			NextCursor *string   `json:"next_cursor"`
		}
		err := c.do(ctx, call{op: "list couriers", method: http.MethodGet, path: path, out: &page, harmless: true})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			return all, nil
		}
		path = "/v1/couriers?cursor=" + url.QueryEscape(*page.NextCursor)
	}
}

// SetShift puts the courier on or off duty. Called as: courier.
func (c *Client) SetShift(ctx context.Context, onDuty bool) error {
	body := struct {
		OnDuty bool `json:"on_duty"`
	}{onDuty}
	return c.do(ctx, call{op: "set shift", method: http.MethodPut, path: "/v1/courier/shift", body: body, harmless: true})
}

// CourierDeliveries returns the courier's route in order. Called as: courier.
func (c *Client) CourierDeliveries(ctx context.Context) ([]Delivery, error) {
	var page struct {
		Items []Delivery `json:"items"`
	}
	err := c.do(ctx, call{op: "read route", method: http.MethodGet, path: "/v1/courier/deliveries", out: &page, harmless: true})
	return page.Items, err
}

// SetRoute orders a courier's stops. Called as: merchant.
func (c *Client) SetRoute(ctx context.Context, courierID string, deliveryIDs []string) error {
	body := struct {
		DeliveryIDs []string `json:"delivery_ids"`
	}{deliveryIDs}
	path := "/v1/couriers/" + url.PathEscape(courierID) + "/route"
	return c.do(ctx, call{op: "set route", method: http.MethodPut, path: path, body: body, harmless: true})
}
