package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// rawJSON is JSON that was encoded elsewhere.
type rawJSON []byte

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// Schema implements huma.SchemaProvider: what it holds is a position, or null.
func (rawJSON) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"lat": {Type: huma.TypeNumber}, "lon": {Type: huma.TypeNumber}, "recorded_at": {Type: huma.TypeString, Format: "date-time"},
	}}
}

// describeSockets documents what is served beside huma: the customer's routes, whose refusals must be the same bytes whatever is wrong, and the
// sockets, which OpenAPI can only name.
func (s *Server) describeSockets() {
	token := []*huma.Param{{Name: "token", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}, Description: "The capability of the customer's link"}}
	since := append(token[:1:1], &huma.Param{Name: "since", In: "query", Schema: &huma.Schema{Type: huma.TypeString}, Description: "<epoch>.<ver> of the newest status known"})
	for _, d := range []struct {
		id, path, tag, summary string
		params                 []*huma.Param
		keyed                  bool
	}{
		{"track", "/v1/track/{token}", "Customer", "What the customer may see now", token, false},
		{"track-live", "/v1/track/{token}/live", "Customer", "WebSocket hotfoot.v1: snapshot, then live", since, false},
		{"track-events", "/v1/track/{token}/events", "Customer", "The same frames as server-sent events", since, false},
		{"ops-live", "/v1/ops/live", "Ops", "WebSocket hotfoot.v1: the live map", nil, true},
		{"courier-live", "/v1/courier/live", "Courier app", "WebSocket hotfoot.v1: my route as it changes; positions may go up", nil, true},
	} {
		op := &huma.Operation{
			OperationID: d.id, Method: http.MethodGet, Path: d.path, Tags: []string{d.tag}, Summary: d.summary, Parameters: d.params,
			Responses: map[string]*huma.Response{"200": {Description: "OK"}, "404": {Description: "Unknown, revoked, expired or malformed: one and the same answer"}},
		}
		if d.keyed {
			op.Security = []map[string][]string{{"key": {}}}
		}
		s.huma.OpenAPI().AddOperation(op)
	}
}
