package api

import (
	"cmp"
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

// Report takes a message with positions that came by socket, as POST /v1/courier/positions does, and answers its receipt: what the request would have
// been answered, or a problem, with the message's id. The error is CodeMalformed when it is not such a message.
func (s *Server) Report(ctx context.Context, actor tracking.Actor, message []byte) ([]byte, error) {
	page := sheets.Get().(*sheet)
	defer sheets.Put(page)
	id, report, ok := quickMessage(message, page.points)
	page.points = report.Points[:0]
	var err error
	if !ok {
		var body []byte
		if id, body, err = openMessage(message); err != nil {
			return nil, err
		}
		report, err = ParseReport(body)
	}
	var intake tracking.Intake
	if err == nil {
		intake, err = s.take(ctx, actor, report)
	}
	receipt := append(append([]byte(`{"type":"receipt","id":`), cmp.Or(string(id), "null")...), ',')
	if err == nil {
		return append(receipt, appendIntake(nil, intake)[1:]...), nil
	}
	problem, err := json.Marshal(s.fail(err))
	return append(receipt, problem[1:]...), err
}

// openMessage takes the report out of any message.
func openMessage(message []byte) (id, body []byte, err error) {
	var fields map[string]json.RawMessage
	if strict := checkStrict(message); strict != nil {
		return nil, nil, strict // before it is taken apart: of a key that stands twice only one is left then
	}
	if err := json.Unmarshal(message, &fields); err != nil || string(fields["type"]) != `"positions"` {
		return nil, nil, tracking.Errorf(tracking.CodeMalformed, "not a message of this protocol")
	}
	id = fields["id"]
	delete(fields, "type")
	delete(fields, "id")
	body, err = json.Marshal(fields)
	return id, body, err
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
	actor, err := s.authenticate(c.Request, secretOf(c.Request.Header), roles...)
	if err != nil {
		s.refuse(c, err)
	}
	return actor, err == nil
}

// LimitHandshake is gin middleware for sockets and streams, that holds clients to the rule of opening them.
func (s *Server) LimitHandshake(c *gin.Context) {
	if err := s.Limits.ofAddress(c.Request, ruleHandshakes); err != nil {
		s.refuse(c, err)
	}
}

// RefuseLink is RefuseHTTP for a request with a customer's link, which may be one too many that opens nothing.
func (s *Server) RefuseLink(w http.ResponseWriter, r *http.Request, err error) {
	s.RefuseHTTP(w, s.Limits.missed(r, err))
}
