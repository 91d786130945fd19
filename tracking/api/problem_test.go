package api

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestProblem_everyCode(t *testing.T) {
	t.Parallel()
	if len(statusOf) != len(tracking.Codes) {
		t.Errorf("the table has %d codes, the domain %d", len(statusOf), len(tracking.Codes))
	}
	for _, code := range tracking.Codes {
		p := problemOf(&tracking.Error{Code: code, Message: "m", Err: errors.New("the cause")})
		if p.Status < 400 || p.Title != http.StatusText(p.Status) || p.Code != code {
			t.Errorf("%s became %+v", code, p)
		}
		if want := "m"; code != tracking.CodeInternal && p.Detail != want {
			t.Errorf("%s says %q, want %q", code, p.Detail, want)
		}
		if code == tracking.CodeInternal && p.Detail == "m" {
			t.Error("a fault of ours shows its message")
		}
	}
	if p := problemOf(&tracking.Error{Code: "made_up", Message: "m"}); p.Status != 500 || p.Code != tracking.CodeInternal || p.Detail == "m" {
		t.Errorf("an unknown code became %+v", p)
	}
}

func TestProblem_GetHeaders(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{0: "", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60"} {
		p := problemOf(&tracking.Error{Code: tracking.CodeUnavailable, RetryAfter: after})
		if got := p.GetHeaders().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q, want %q", after, got, want)
		}
	}
	if got := problemOf(tracking.Errorf(tracking.CodeUnauthorized, "x")).GetHeaders().Get("WWW-Authenticate"); got == "" {
		t.Error("401 without WWW-Authenticate")
	}
}

func TestServer_problem(t *testing.T) {
	t.Parallel()
	var s Server
	if p, known := s.problem(errors.New("pq: secret")); known || p.Status != 500 || p.Code != tracking.CodeInternal || p.Detail == "pq: secret" {
		t.Errorf("an error of no known kind became %+v", p)
	}
	wrapped := errors.Join(errors.New("x"), tracking.Errorf(tracking.CodeConflict, "taken"))
	if p, known := s.problem(wrapped); !known || p.Status != 409 || p.Detail != "taken" {
		t.Errorf("a wrapped error became %+v", p)
	}
}

// Every status that the framework may answer by itself has a code of ours.
func TestFrameworkProblem(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]tracking.Code{
		400: tracking.CodeMalformed, 401: tracking.CodeUnauthorized, 403: tracking.CodeForbidden, 404: tracking.CodeNotFound, 405: tracking.CodeNotFound,
		406: tracking.CodeMalformed, 408: tracking.CodeMalformed, 413: tracking.CodeTooLarge, 415: tracking.CodeMalformed, 422: tracking.CodeInvalid,
		429: tracking.CodeTooMany, 500: tracking.CodeInternal, 503: tracking.CodeUnavailable,
	} {
		p := frameworkProblem(status, "m").(*Problem)
		if p.Code != want || p.Status != status || p.Title == "" {
			t.Errorf("%d became %+v, want %s", status, p, want)
		}
	}
}
