package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
)

// statusOf is the one table that turns a code into an HTTP status.
var statusOf = map[tracking.Code]int{
	tracking.CodeInternal:        http.StatusInternalServerError,
	tracking.CodeMalformed:       http.StatusBadRequest,
	tracking.CodeInvalid:         http.StatusUnprocessableEntity,
	tracking.CodeUnauthorized:    http.StatusUnauthorized,
	tracking.CodeForbidden:       http.StatusForbidden,
	tracking.CodeOffShift:        http.StatusForbidden,
	tracking.CodeNotFound:        http.StatusNotFound,
	tracking.CodeConflict:        http.StatusConflict,
	tracking.CodeIllegalMove:     http.StatusConflict,
	tracking.CodeEventReused:     http.StatusConflict,
	tracking.CodeIdempotencyUsed: http.StatusConflict,
	tracking.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	tracking.CodeTooMany:         http.StatusTooManyRequests,
	tracking.CodeRateLimited:     http.StatusTooManyRequests,
	tracking.CodeUnavailable:     http.StatusServiceUnavailable,
	tracking.CodeOverloaded:      http.StatusServiceUnavailable,
}

// codeOf is the other direction, for refusals that the framework makes.
func codeOf(status int) tracking.Code {
	switch status {
	case http.StatusUnprocessableEntity:
		return tracking.CodeInvalid
	case http.StatusUnauthorized:
		return tracking.CodeUnauthorized
	case http.StatusForbidden:
		return tracking.CodeForbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return tracking.CodeNotFound
	case http.StatusRequestEntityTooLarge:
		return tracking.CodeTooLarge
	case http.StatusTooManyRequests:
		return tracking.CodeTooMany
	case http.StatusServiceUnavailable:
		return tracking.CodeUnavailable
	}
	if status >= 500 {
		return tracking.CodeInternal
	}
	return tracking.CodeMalformed
}

// Problem is an error as a client sees it: RFC 9457, and beside it a stable code and the fields at fault.
type Problem struct {
	Type   string         `json:"type" example:"about:blank" doc:"Always about:blank: code says what happened."`
	Title  string         `json:"title" example:"Unprocessable Entity"`
	Status int            `json:"status" example:"422"`
	Code   tracking.Code  `json:"code" example:"invalid" doc:"Stable; match on this."`
	Detail string         `json:"detail,omitempty" doc:"What went wrong, for a person."`
	Errors []ProblemField `json:"errors,omitempty" doc:"The parts of the request that are at fault."`

	retryAfter int
	refusal    *tracking.LimitRefusal
	uncounted  bool
}

// ProblemField is one part of the request that is at fault.
type ProblemField struct {
	Location string `json:"location" example:"dropoff.lat"`
	Message  string `json:"message" example:"must be between -90 and 90 degrees"`
}

// Error implements error.
func (p *Problem) Error() string { return string(p.Code) + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="hotfoot"`)
	}
	if p.refusal != nil {
		h.Set(policyField, policyHeader(p.refusal.Policy))
		h.Set(limitField, limitHeader(p.refusal.Policy, p.refusal.Decision))
	}
	return h
}

// problemOf is what a client is told of an error: never its cause.
func problemOf(err *tracking.Error) *Problem {
	p := &Problem{Type: "about:blank", Status: statusOf[err.Code], Code: err.Code, Detail: err.Message}
	if p.Status == 0 || err.Code == tracking.CodeInternal {
		p.Status, p.Code, p.Detail = http.StatusInternalServerError, tracking.CodeInternal, "something went wrong on our side"
	}
	p.Title = http.StatusText(p.Status)
	for _, f := range err.Fields {
		p.Errors = append(p.Errors, ProblemField{Location: f.Path, Message: f.Message})
	}
	if err.RetryAfter > 0 {
		p.retryAfter = int((err.RetryAfter + 999_999_999) / 1_000_000_000)
	}
	errors.As(err.Err, &p.refusal)
	return p
}

// frameworkProblem is how huma's own refusals look. Values are left out: they may be secrets, or large.
func frameworkProblem(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusInternalServerError && message == unreadable {
		return unread(errs)
	}
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: codeOf(status), Detail: message, uncounted: true}
	for _, err := range errs {
		p.Errors = append(p.Errors, fieldOf(err))
	}
	if len(p.Errors) > 0 {
		p.Detail = strings.TrimPrefix(p.Errors[0].Location+": ", "body: ") + p.Errors[0].Message
	}
	return p
}

// unreadable is what huma says, as a fault of ours, when a body cannot be read to its end: whoever sent it broke off, or sent what is no body.
const unreadable = "cannot read request body"

func unread(errs []error) *Problem {
	why := tracking.Errorf(tracking.CodeMalformed, "the body could not be read to its end")
	for _, err := range errs {
		errors.As(err, &why)
	}
	p := problemOf(why)
	p.uncounted = true
	return p
}

// fieldOf finds the field that huma means: what is missing is named, not what it is missing from, and what checkStrict found carries its place
// in its text.
func fieldOf(err error) ProblemField {
	detailed, ok := err.(huma.ErrorDetailer)
	if !ok {
		return ProblemField{Location: "body", Message: err.Error()}
	}
	detail := detailed.ErrorDetail()
	location, message := strings.TrimPrefix(detail.Location, "body."), detail.Message
	if name, ok := strings.CutPrefix(message, "expected required property "); ok {
		if name, ok = strings.CutSuffix(name, " to be present"); ok {
			return ProblemField{Location: strings.TrimPrefix(location+"."+name, "body."), Message: "is required"}
		}
	}
	if path, text, ok := strings.Cut(message, ": "); location == "body" && ok && !strings.Contains(path, " ") {
		return ProblemField{Location: path, Message: text}
	}
	return ProblemField{Location: location, Message: message}
}

// fail turns any error of a use case into the answer, and logs what the client is not told.
func (s *Server) fail(err error) error {
	p, known := s.problem(err)
	s.metrics.refused.WithLabelValues(string(p.Code)).Inc()
	switch {
	case !known || p.Code == tracking.CodeInternal:
		s.log.Error("request failed", "code", p.Code, "error", err)
	case errors.Is(err, tracking.ErrOpen):
		// The breaker has said so once; every request saying it again would drown the log when it is needed.
	case p.Status >= 500:
		s.log.Warn("request refused", "code", p.Code, "error", err)
	}
	return p
}

// countFramework counts huma's own refusals, which do not pass through fail.
func (s *Server) countFramework(_ huma.Context, _ string, body any) (any, error) {
	if p, ok := body.(*Problem); ok && p.uncounted {
		s.metrics.refused.WithLabelValues(string(p.Code)).Inc()
	}
	return body, nil
}

func (s *Server) problem(err error) (*Problem, bool) {
	var known *tracking.Error
	if !errors.As(err, &known) {
		return problemOf(&tracking.Error{Code: tracking.CodeInternal}), false
	}
	return problemOf(known), true
}

// refuse answers a plain gin request with an error.
func (s *Server) refuse(c *gin.Context, err error) { writeProblem(c, s.fail(err).(*Problem)) }

func init() {
	// huma builds its refusals through this package variable; there is no other way to give them our shape.
	huma.NewError = frameworkProblem
	// Otherwise "LAT" passes for "lat", and beside it replaces it.
	huma.ValidateStrictCasing = true
}
