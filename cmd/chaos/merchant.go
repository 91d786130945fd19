package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// parcel is a delivery that a scenario makes for itself, beside the load's.
type parcel struct {
	ID     string
	Status string
	Ver    int64
	Token  string `json:"tracking_token"`
}

// newParcel creates a delivery through the API.
func (r *Run) newParcel() parcel {
	place := map[string]any{"lat": 37.77, "lon": -122.42, "address": "1 Main Street"}
	return r.ask(http.MethodPost, "/v1/deliveries", map[string]any{"pickup": place, "dropoff": place})
}

// cancelParcel ends it.
func (r *Run) cancelParcel(p parcel) {
	r.ask(http.MethodPost, "/v1/deliveries/"+p.ID+"/cancel", map[string]any{"reason": "eaten"})
}

// shows is what somebody sees who opens its link for the first time.
func (r *Run) shows(p parcel) parcel { return r.ask(http.MethodGet, "/v1/track/"+p.Token, nil) }

// ask makes a merchant's request of the first API node; what is not answered ends the row.
func (r *Run) ask(method, path string, body any) (answer parcel) {
	text, _ := json.Marshal(body)
	request, err := http.NewRequestWithContext(r.ctx, method, r.API[0].URL()+path, bytes.NewReader(text))
	if err != nil {
		r.fail(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.Keys.MerchantKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := asking.Do(request)
	if err != nil {
		r.fail(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 300 {
		r.fail(fmt.Errorf("%s %s: %s, %w", method, path, response.Status, err))
	}
	return answer
}

// asking keeps no connection: it would be one of the things that are counted at the end.
var asking = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
