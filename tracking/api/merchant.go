package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
)

type merchantBody struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	VisibleStops int    `json:"visible_stops" doc:"Customers see their courier when at most this many stops come before theirs"`
	VisibleFrom  string `json:"visible_from" enum:"en_route,arriving" doc:"The status from which on they do"`
	RoundingM    int    `json:"rounding_m" doc:"While other stops come first they see the middle of a cell so many metres wide; 0 for the very place"`
	DelayS       int    `json:"delay_s" doc:"They see a position once it is so many seconds old"`
}

func merchantOut(m tracking.Merchant) merchantBody {
	return merchantBody{m.ID.String(), m.Name, m.VisibleStops, string(m.VisibleFrom), m.RoundingM, int(m.Delay / time.Second)}
}

func (s *Server) mountMerchant() {
	merchant := tracking.RoleMerchant
	register(s, s.operation("Merchant", "get-merchant", http.MethodGet, "/v1/merchant", "Who you are, and what your customers may see", merchant), s.getMerchant)
	register(s, s.operation("Merchant", "update-merchant", http.MethodPatch, "/v1/merchant", "Change what your customers may see, also on pages that are open", merchant),
		s.patchMerchant)
}

func (s *Server) getMerchant(ctx context.Context, _ *struct{}) (*out[merchantBody], error) {
	m, err := s.Tenancy.Merchant(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	return &out[merchantBody]{merchantOut(m)}, nil
}

func (s *Server) patchMerchant(ctx context.Context, in *struct {
	Body struct {
		VisibleStops *int    `json:"visible_stops,omitempty" minimum:"0" maximum:"50"`
		VisibleFrom  *string `json:"visible_from,omitempty" enum:"en_route,arriving"`
		RoundingM    *int    `json:"rounding_m,omitempty" minimum:"0" maximum:"5000" doc:"0, or 50 and more"`
		DelayS       *int    `json:"delay_s,omitempty" minimum:"0" maximum:"300"`
	}
},
) (*out[merchantBody], error) {
	m, err := s.Tenancy.Amend(ctx, actorOf(ctx), func(m *tracking.Merchant) {
		if v := in.Body.VisibleStops; v != nil {
			m.VisibleStops = *v
		}
		if v := in.Body.VisibleFrom; v != nil {
			m.VisibleFrom = tracking.Status(*v)
		}
		if v := in.Body.RoundingM; v != nil {
			m.RoundingM = *v
		}
		if v := in.Body.DelayS; v != nil {
			m.Delay = time.Duration(*v) * time.Second
		}
	})
	if err != nil {
		return nil, err
	}
	return &out[merchantBody]{merchantOut(m)}, nil
}
