package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
)

// Route lists a courier's stops in order for their socket. Errors: CodeUnavailable.
func (s *Server) Route(ctx context.Context, courier tracking.ID) ([]tracking.Record, error) {
	return s.Deps.Couriers.Route(ctx, courier)
}

// Deliveries encodes stops as GET /v1/courier/deliveries does: a JSON array.
func (s *Server) Deliveries(route []tracking.Record) []byte {
	bodies := make([]deliveryBody, len(route))
	for i, r := range route {
		bodies[i] = courierDelivery(r)
	}
	b, err := json.Marshal(bodies)
	if err != nil {
		s.log.Error("encoding a route", "error", err)
		return []byte("[]")
	}
	return b
}

// Report takes positions that came by socket, as POST /v1/courier/positions does, and answers its JSON object, or a problem's.
func (s *Server) Report(ctx context.Context, actor tracking.Actor, body []byte) []byte {
	var answer any
	report, err := ParseReport(body)
	if err == nil {
		var intake tracking.Intake
		if intake, err = s.take(ctx, actor, report); err == nil {
			answer = newIntakeBody(intake)
		}
	}
	if err != nil {
		answer = s.fail(err)
	}
	b, err := json.Marshal(answer)
	if err != nil {
		s.log.Error("encoding a receipt", "error", err)
		return []byte("{}")
	}
	return b
}

// RefuseHTTP writes an error as the contract wants it, for what is served beside the API.
func (s *Server) RefuseHTTP(w http.ResponseWriter, err error) {
	p := s.fail(err).(*Problem)
	for name, values := range p.GetHeaders() {
		w.Header().Set(name, values[0])
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = encode(w, p)
}

// Admit authenticates a request for one of the roles, and refuses it otherwise.
func (s *Server) Admit(c *gin.Context, roles ...tracking.Role) (tracking.Actor, bool) {
	actor, err := s.auth.Request(c.Request, roles...)
	if err != nil {
		s.refuse(c, err)
	}
	return actor, err == nil
}
