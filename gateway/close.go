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
	// What a peer sent could not be read, or not as a text that it may send.
	broken   = farewell{websocket.CloseProtocolError, "protocol_error"}
	tooLarge = farewell{websocket.CloseMessageTooBig, "too_large"}
	notUTF8  = farewell{websocket.CloseInvalidFramePayloadData, "not_utf8"}
)

var farewells = []farewell{finished, revoked, slow, restarting, malformed, broken, tooLarge, notUTF8}

// farewellMessage is a farewell on its way: with the frame that says why, or without one when it answers the peer's own.
type farewellMessage struct {
	farewell
	bye *message
}

// frames are the last bytes that are sent: what is said, and the close frame.
func (f *farewellMessage) frames() []byte {
	var b []byte
	if f.bye != nil {
		b = append(b, f.bye.frame...)
	}
	said := websocket.FormatCloseMessage(f.code, f.word)
	return append(append(b, 0x88, byte(len(said))), said...)
}

// closeCodeOf is the one table that turns an error's code into a close code.
func closeCodeOf(code tracking.Code) int {
	switch code {
	case tracking.CodeNotFound:
		return closeUnknown
	case tracking.CodeUnauthorized, tracking.CodeForbidden, tracking.CodeOffShift:
		return closeRevoked
	case tracking.CodeUnavailable, tracking.CodeOverloaded, tracking.CodeTooMany, tracking.CodeRateLimited:
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
