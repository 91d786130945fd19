package tracking

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an Error is. Codes are stable: clients match on them, and exactly two tables turn one into an
// HTTP status (package api) and into a socket's close code (package gateway).
type Code string

// The codes.
const (
	CodeInternal        Code = "internal"          // a fault of ours; the cause is logged, never shown
	CodeMalformed       Code = "malformed"         // the request cannot be read at all
	CodeInvalid         Code = "invalid"           // it can be read, but a field breaks a rule
	CodeUnauthorized    Code = "unauthorized"      // no key, or not a valid one
	CodeForbidden       Code = "forbidden"         // a valid key that may not do this
	CodeOffShift        Code = "off_shift"         // the courier is not on duty
	CodeNotFound        Code = "not_found"         // unknown, revoked, expired or somebody else's: never told apart
	CodeConflict        Code = "conflict"          // another one with this identity exists
	CodeIllegalMove     Code = "illegal_move"      // the delivery's status does not allow it
	CodeEventReused     Code = "event_id_reused"   // the same client_event_id with another body
	CodeIdempotencyUsed Code = "idempotency_reuse" // the same Idempotency-Key with another body
	CodeTooLarge        Code = "too_large"         // a body or a list over its limit
	CodeTooMany         Code = "too_many"          // a count over its limit
	CodeRateLimited     Code = "rate_limited"      // a rate over its limit; the cause may be a LimitRefusal
	CodeUnavailable     Code = "unavailable"       // a store that this needs is away
	CodeOverloaded      Code = "overloaded"        // a queue is full
)

// Codes lists every code, for tests and tables that must cover them all.
var Codes = []Code{
	CodeInternal, CodeMalformed, CodeInvalid, CodeUnauthorized, CodeForbidden, CodeOffShift, CodeNotFound, CodeConflict,
	CodeIllegalMove, CodeEventReused, CodeIdempotencyUsed, CodeTooLarge, CodeTooMany, CodeRateLimited, CodeUnavailable, CodeOverloaded,
}

// Error is the one error type of the product: a stable code, a message that may be shown to anyone, and the cause, which may
// not.
type Error struct {
	Code    Code
	Message string
	// Fields says which parts of the input broke a rule; empty for other kinds.
	Fields []FieldError
	// RetryAfter is how long to wait before asking again; zero when asking again would not help.
	RetryAfter time.Duration
	// Err is the cause, for the log.
	Err error
}

// FieldError names one part of the input, as a path such as "dropoff.lat" or "positions[3].recorded_at".
type FieldError struct {
	Path    string
	Message string
}

// Errorf makes an Error whose message is safe to show.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the Error of one field that breaks a rule.
func Invalid(path, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Code: CodeInvalid, Message: path + ": " + message, Fields: []FieldError{{Path: path, Message: message}}}
}

// Unavailable makes the Error of a store that did not answer.
func Unavailable(store string, cause error) *Error {
	return &Error{Code: CodeUnavailable, Message: store + " is not available; try again shortly", RetryAfter: 2 * time.Second, Err: cause}
}

// Error includes the cause: it is for logs. Clients are shown Message.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of the first Error in err's chain; internal for any other error, "" for none.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
