package client

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// MaxPositions is how many positions the server takes in one request.
const MaxPositions = 500

// Position is one fix. Seq counts from 1 within a session; 0 leaves it out. What the phone does not know is nil.
type Position struct {
	Seq        int64     `json:"seq,omitempty"`
	RecordedAt time.Time `json:"recorded_at"`
	Lat        float64   `json:"lat"`
	Lon        float64   `json:"lon"`
	AccuracyM  *float64  `json:"accuracy_m,omitempty"`
	SpeedMPS   *float64  `json:"speed_mps,omitempty"`
	HeadingDeg *float64  `json:"heading_deg,omitempty"`
	AltitudeM  *float64  `json:"altitude_m,omitempty"`
	Battery    *float64  `json:"battery,omitempty"`
}

// What became of a reported point.
const (
	ResultLive      = "live"
	ResultLate      = "late"
	ResultDuplicate = "duplicate"
	ResultRejected  = "rejected"
)

// Receipt tells what became of the point at Index of the request; Code is the reason when it was rejected, Suspect why it is kept and not shown.
type Receipt struct {
	Index   int    `json:"index"`
	Seq     int64  `json:"seq"`
	Result  string `json:"result"`
	Code    string `json:"code"`
	Suspect string `json:"suspect"`
}

// PositionReply is the server's answer to a report. Points up to AcceptedSeq are safe in the stream; only those up to
// DurableSeq may be forgotten. ResendFrom, when set, asks for everything from that seq on again.
type PositionReply struct {
	AcceptedSeq int64     `json:"accepted_seq"`
	DurableSeq  int64     `json:"durable_seq"`
	ResendFrom  *int64    `json:"resend_from"`
	NextReportS float64   `json:"next_report_s"`
	Receipts    []Receipt `json:"receipts"`
}

// PostPositions reports points, at most MaxPositions. With wait the server holds its answer for so long (whole seconds)
// until they are durable. Called as: courier.
func (c *Client) PostPositions(ctx context.Context, session string, points []Position, wait time.Duration) (PositionReply, error) {
	body := struct {
		Session   string     `json:"session,omitempty"`
		Positions []Position `json:"positions"`
	}{session, make([]Position, len(points))}
	harmless := true
	for i, p := range points {
		p.RecordedAt = p.RecordedAt.UTC().Truncate(time.Millisecond)
		body.Positions[i] = p
		harmless = harmless && p.Seq > 0
	}
	var out PositionReply
	q := call{op: "post positions", method: http.MethodPost, path: "/v1/courier/positions", body: body, out: &out, harmless: harmless}
	if wait >= time.Second {
		q.header = http.Header{"Prefer": {fmt.Sprintf("wait=%d", int(wait.Seconds()))}}
		q.extraLimit = wait
	}
	err := c.do(ctx, q)
	return out, err
}
