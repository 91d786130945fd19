package load

import (
	"encoding/json"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

type fixTime struct {
	RecordedAt time.Time `json:"recorded_at"`
}

// read decodes a frame; one of an unknown type, or none at all, is noted with an empty type and ignored.
func read(text []byte) oracle.Frame {
	var f struct {
		Type         string
		Epoch        int64
		Ver          int64
		SV           int64
		Status       string
		Events       []oracle.Event
		Courier      *struct{ Name string }
		Position     *fixTime
		ETA          *struct{ At time.Time }
		Visible      bool
		Live         bool
		Code         string
		RetryAfterMS int64 `json:"retry_after_ms"`
		fixTime
	}
	if json.Unmarshal(text, &f) != nil {
		return oracle.Frame{}
	}
	out := oracle.Frame{
		At: time.Now(), Type: f.Type, Epoch: f.Epoch, Ver: f.Ver, SV: f.SV, Status: f.Status, Events: f.Events, Visible: f.Visible, Live: f.Live,
		Word: f.Code, RetryAfter: time.Duration(f.RetryAfterMS) * time.Millisecond,
	}
	if f.ETA != nil {
		out.ETA = f.ETA.At.UnixMilli()
	}
	if f.Courier != nil {
		out.Courier = f.Courier.Name
	}
	if f.Position != nil {
		out.Position = f.Position.RecordedAt.UnixMilli()
	}
	if f.Type == "position" {
		out.Position = f.RecordedAt.UnixMilli()
	}
	switch f.Type {
	case "snapshot", "status", "view", "position", "tick", "bye":
		return out
	}
	return oracle.Frame{}
}
