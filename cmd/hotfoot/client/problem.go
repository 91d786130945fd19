package client

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is a refusal (RFC 9457). Code is stable and meant for programs; Title and Detail are for people.
type Problem struct {
	Status     int
	Code       string
	Title      string
	Detail     string
	Errors     []FieldError
	RetryAfter time.Duration // 0 when the server did not say
}

// FieldError is what is wrong with one part of a request.
type FieldError struct {
	Location string `json:"location"`
	Message  string `json:"message"`
	Code     string `json:"code"`
}

func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", p.Status, cmp.Or(p.Code, p.Title, http.StatusText(p.Status)))
	if p.Detail != "" {
		b.WriteString(": " + p.Detail)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "; %s %s", e.Location, e.Message)
	}
	return b.String()
}

// newProblem also reads refusals that are no problem document, as a proxy in between would send them.
func newProblem(resp *http.Response, body []byte, now time.Time) *Problem {
	p := &Problem{Status: resp.StatusCode, RetryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), now)}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); strings.HasSuffix(media, "json") {
		var doc struct {
			Code, Title, Detail string
			Errors              []FieldError
		}
		if json.Unmarshal(body, &doc) == nil {
			p.Code, p.Title, p.Detail, p.Errors = doc.Code, doc.Title, doc.Detail, doc.Errors
			return p
		}
	}
	p.Title = http.StatusText(resp.StatusCode)
	p.Detail = strings.ToValidUTF8(strings.TrimSpace(string(body[:min(len(body), 200)])), "")
	return p
}

// maxRetryAfter keeps what a stranger says from passing what a Duration holds: a year, in seconds.
const maxRetryAfter = 365 * 24 * 60 * 60

// parseRetryAfter reads both forms of the header: seconds and a date.
func parseRetryAfter(v string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(v); err == nil {
		return time.Duration(max(0, min(seconds, maxRetryAfter))) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
