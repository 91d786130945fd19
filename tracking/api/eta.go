package api

import (
	"context"
	"net/http"

	"hotfoot/tracking"
)

type etaBody struct {
	DistanceM float64        `json:"distance_m"`
	DurationS float64        `json:"duration_s" doc:"Of the way alone, without stops"`
	Source    tracking.Basis `json:"source" enum:"road,estimate" doc:"road: a routing server's answer. estimate: the straight line, stretched to streets, at the vehicle's usual pace."`
}

func (s *Server) mountETA() {
	register(s, s.operation("Ops", "ops-eta", http.MethodGet, "/v1/ops/eta", "How far and how long a way is", tracking.RoleMerchant, tracking.RoleOps), s.eta)
}

func (s *Server) eta(ctx context.Context, in *struct {
	From    string `query:"from" required:"true" doc:"lat,lon" example:"37.7812,-122.4112"`
	To      string `query:"to" required:"true" doc:"lat,lon" example:"37.7893,-122.4010"`
	Vehicle string `query:"vehicle" enum:"foot,bike,scooter,car,van" default:"car"`
},
) (*out[etaBody], error) {
	leg := tracking.Leg{Vehicle: tracking.Vehicle(in.Vehicle)}
	var err error
	if leg.From.Lat, leg.From.Lon, err = parsePlace("from", in.From); err != nil {
		return nil, err
	}
	if leg.To.Lat, leg.To.Lon, err = parsePlace("to", in.To); err != nil {
		return nil, err
	}
	travel, err := s.Roads.Travel(ctx, leg)
	if err != nil {
		return nil, err
	}
	return &out[etaBody]{etaBody{DistanceM: travel.DistanceM, DurationS: travel.Duration.Seconds(), Source: travel.Basis}}, nil
}
