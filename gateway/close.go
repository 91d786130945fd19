package gateway

import (
	"github.com/gorilla/websocket"

	"hotfoot/tracking"
)

// Close codes of the protocol. 4001, 4003 and 4004 mean that there is no point in coming back.
const (
	closeFinished   = 4001
	closeRevoked    = 4003
	closeUnknown    = 4004
	closeSlow       = 4008
	closeRestarting = websocket.CloseServiceRestart // 1012
	closeOverloaded = websocket.CloseTryAgainLater  // 1013
)

// farewell is why a socket is closed: its code, and its word in the bye frame and in the metric.
type farewell struct {
	code int
	word string
}

var (
	finished   = farewell{closeFinished, "finished"}
	revoked    = farewell{closeRevoked, "revoked"}
	slow       = farewell{closeSlow, "too_slow"}
	restarting = farewell{closeRestarting, "restarting"}
	malformed  = farewell{websocket.CloseUnsupportedData, "malformed"}
)

var farewells = []farewell{finished, revoked, slow, restarting, malformed}

// closeCodeOf is the one table that turns an error's code into a close code.
func closeCodeOf(code tracking.Code) int {
	switch code {
	case tracking.CodeNotFound:
		return closeUnknown
	case tracking.CodeUnauthorized, tracking.CodeForbidden, tracking.CodeOffShift:
		return closeRevoked
	case tracking.CodeUnavailable, tracking.CodeOverloaded, tracking.CodeTooMany:
		return closeOverloaded
	case tracking.CodeInternal:
		return websocket.CloseInternalServerErr
	}
	return websocket.CloseUnsupportedData
}

// failed is the farewell for an error.
func failed(err error) farewell {
	code := tracking.CodeOf(err)
	return farewell{closeCodeOf(code), string(code)}
}
