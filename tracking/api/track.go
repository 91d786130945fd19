package api

import (
	"context"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// maxTrack bounds a track: two days at a fix every ten seconds.
const maxTrack = 20_000

// feature is GeoJSON (RFC 7946): positions are [longitude, latitude].
type (
	feature struct {
		Type       string     `json:"type" enum:"Feature"`
		Geometry   *geometry  `json:"geometry" doc:"null for fewer than two points"`
		Properties properties `json:"properties"`
	}
	geometry struct {
		Type        string       `json:"type" enum:"LineString"`
		Coordinates [][2]float64 `json:"coordinates"`
	}
	properties struct {
		DeliveryID string       `json:"delivery_id"`
		CourierID  *string      `json:"courier_id"`
		Times      []frame.Time `json:"times" doc:"When each coordinate was recorded"`
		Suspects   *[]*string   `json:"suspects,omitempty" doc:"Asked for with suspect=true: why each coordinate cannot be true, null for those that can"`
	}
)

type trackRequest struct {
	ID      string `path:"id"`
	Suspect bool   `query:"suspect" doc:"Also what was reported and cannot be true, such as a jump across the city"`
}

func (s *Server) getTrack(ctx context.Context, in *trackRequest) (*out[feature], error) {
	record, err := s.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	f := feature{Type: "Feature", Properties: properties{DeliveryID: in.ID, Times: []frame.Time{}}}
	if record.Delivery.CourierID.IsZero() {
		return &out[feature]{f}, nil
	}
	courier := record.Delivery.CourierID.String()
	f.Properties.CourierID = &courier
	from, to := s.carried(record)
	positions, err := s.Deps.Deliveries.Track(ctx, record.Delivery.CourierID, from, to, in.Suspect, maxTrack)
	if err != nil {
		return nil, err
	}
	line := geometry{Type: "LineString", Coordinates: make([][2]float64, len(positions))}
	for i, p := range positions {
		line.Coordinates[i] = [2]float64{p.Lon, p.Lat}
		f.Properties.Times = append(f.Properties.Times, frame.Time(p.RecordedAt))
	}
	if in.Suspect {
		f.Properties.Suspects = suspectsOf(positions)
	}
	if len(positions) >= 2 {
		f.Geometry = &line
	}
	return &out[feature]{f}, nil
}

func suspectsOf(positions []tracking.Position) *[]*string {
	suspects := make([]*string, len(positions))
	for i, p := range positions {
		if p.Suspect != tracking.Believed {
			reason := p.Suspect.String()
			suspects[i] = &reason
		}
	}
	return &suspects
}

// carried is the time during which the delivery's present courier had it.
func (s *Server) carried(r tracking.Record) (from, to time.Time) {
	from, to = r.Delivery.CreatedAt, s.Now()
	for _, e := range r.Events {
		if e.Status == tracking.Assigned {
			from = e.At
		}
	}
	if !r.Delivery.FinishedAt.IsZero() {
		to = r.Delivery.FinishedAt
	}
	return from, to
}
