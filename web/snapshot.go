package web

import (
	"encoding/json"
	"fmt"
	"time"
)

// snapshot is what the customer page reads of the snapshot frame; src/protocol.ts has the whole of it.
type snapshot struct {
	Status      string         `json:"status"`
	ETA         *eta           `json:"eta"`
	StopsBefore *int           `json:"stops_before"`
	Visible     bool           `json:"visible"`
	Why         string         `json:"why"`
	Events      []event        `json:"events"`
	Dropoff     place          `json:"dropoff"`
	Courier     *named         `json:"courier"`
	Merchant    named          `json:"merchant"`
	Window      *promisedTimes `json:"window"`
	ServerTime  time.Time      `json:"server_time"`
}

type eta struct {
	At   time.Time `json:"at"`
	Low  time.Time `json:"low"`
	High time.Time `json:"high"`
}

type event struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Proof  *struct {
		LeftAt string `json:"left_at"`
		Name   string `json:"name"`
	} `json:"proof"`
}

type place struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

type named struct {
	Name    string `json:"name"`
	Vehicle string `json:"vehicle"`
}

type promisedTimes struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func parseSnapshot(raw []byte) (*snapshot, error) {
	var s snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("web: decode snapshot: %w", err)
	}
	if s.Status == "" {
		return nil, fmt.Errorf("web: decode snapshot: no status")
	}
	return &s, nil
}

// last is the newest event of the status the delivery is in, which carries its time, reason and proof.
func (s *snapshot) last() event {
	for i := len(s.Events) - 1; i >= 0; i-- {
		if s.Events[i].Status == s.Status {
			return s.Events[i]
		}
	}
	return event{Status: s.Status, At: s.ServerTime}
}

func (s *snapshot) final() bool {
	return s.Status == "delivered" || s.Status == "cancelled" || s.Status == "returned"
}
