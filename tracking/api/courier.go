package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

func (s *Server) mountCourier() {
	courier := tracking.RoleCourier
	register(s, s.operation("Courier app", "get-route", http.MethodGet, "/v1/courier/deliveries", "My stops in order", courier), s.myRoute)
	register(s, s.operation("Courier app", "set-shift", http.MethodPut, "/v1/courier/shift", "Go on or off duty", courier), s.setShift)
	register(s, s.operation("Courier app", "report-status", http.MethodPost, "/v1/courier/deliveries/{id}/status", "Report what happened", courier), s.reportStatus)
}

func (s *Server) myRoute(ctx context.Context, _ *struct{}) (*aged[page[deliveryBody]], error) {
	courier := actorOf(ctx).CourierID
	q := tracking.Question{Computation: routeComputed, Segment: courier}
	records, answer, err := s.askRecords(ctx, q, func(ctx context.Context) ([]tracking.Record, error) { return s.Deps.Couriers.Route(ctx, courier) })
	if err != nil {
		return nil, err
	}
	return agedOut(routeOut(records, courierDelivery), answer), nil
}

type shiftBody struct {
	OnDuty bool `json:"on_duty"`
}

func (s *Server) setShift(ctx context.Context, in *struct{ Body shiftBody }) (*out[shiftBody], error) {
	c, err := s.Roster.SetShift(ctx, actorOf(ctx), in.Body.OnDuty)
	if err != nil {
		return nil, err
	}
	return &out[shiftBody]{shiftBody{OnDuty: c.OnDuty}}, nil
}

type (
	whereBody struct {
		Lat        float64    `json:"lat" minimum:"-90" maximum:"90"`
		Lon        float64    `json:"lon" minimum:"-180" maximum:"180"`
		AccuracyM  *float64   `json:"accuracy_m,omitempty" minimum:"0"`
		SpeedMPS   *float64   `json:"speed_mps,omitempty" minimum:"0"`
		HeadingDeg *float64   `json:"heading_deg,omitempty" minimum:"0" maximum:"360"`
		AltitudeM  *float64   `json:"altitude_m,omitempty"`
		Battery    *float64   `json:"battery,omitempty" minimum:"0" maximum:"1"`
		RecordedAt *time.Time `json:"recorded_at,omitempty"`
	}
	statusReport struct {
		Status        string     `json:"status" enum:"picked_up,en_route,arriving,delivered,failed,returned"`
		ClientEventID string     `json:"client_event_id" minLength:"1" maxLength:"100" doc:"Made by the phone, once for each thing that happened: a retry with the same id and body is answered the same"`
		At            *time.Time `json:"at,omitempty" doc:"When it happened, by the phone's clock"`
		Position      *whereBody `json:"position,omitempty"`
		Reason        string     `json:"reason,omitempty" maxLength:"500"`
		Proof         *proofBody `json:"proof,omitempty"`
	}
	statusAnswer struct {
		DeliveryID string     `json:"delivery_id"`
		Status     string     `json:"status"`
		Ver        int64      `json:"ver"`
		Epoch      int64      `json:"epoch"`
		At         frame.Time `json:"at"`
	}
)

func (s *Server) reportStatus(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body statusReport
},
) (*out[statusAnswer], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	move := tracking.Move{
		To: tracking.Status(in.Body.Status), ClientID: in.Body.ClientEventID, DeviceAt: deref(in.Body.At), Reason: in.Body.Reason,
	}
	if p := in.Body.Proof; p != nil {
		move.Proof = tracking.Proof(*p)
	}
	if w := in.Body.Position; w != nil {
		move.Where = &tracking.Position{Lat: w.Lat, Lon: w.Lon, RecordedAt: deref(w.RecordedAt)}
	}
	reported, err := s.Dispatch.Report(ctx, actorOf(ctx), id, move)
	if err != nil {
		return nil, err
	}
	e := reported.Event
	return &out[statusAnswer]{statusAnswer{
		DeliveryID: in.ID, Status: string(e.Status), Ver: e.Ver, Epoch: reported.Record.Epoch, At: frame.Time(e.At),
	}}, nil
}
