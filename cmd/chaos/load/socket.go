package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"hotfoot/cmd/chaos/rig"
)

// Close codes after which a customer does not come back.
const (
	closeFinished = 4001
	closeRevoked  = 4003
	closeUnknown  = 4004
)

// closeCode is the code that the server closed with; 0 when the connection just ended.
func closeCode(err error) int {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		return closed.Code
	}
	return 0
}

// notOpened is a refusal with an HTTP status.
type notOpened struct {
	status int
	cause  error
}

func (e *notOpened) Error() string { return fmt.Sprintf("%d: %v", e.status, e.cause) }
func (e *notOpened) Unwrap() error { return e.cause }

// refusal tells the kinds of failures to connect apart.
func refusal(err error) (code int, text string, refused bool) {
	var status *notOpened
	if errors.As(err, &status) {
		return status.status, err.Error(), false
	}
	return 0, err.Error(), errors.Is(err, syscall.ECONNREFUSED)
}

// dialer has small buffers: a row may have thousands of sockets.
var dialer = &websocket.Dialer{Subprotocols: []string{"hotfoot.v1"}, HandshakeTimeout: answerPatience, ReadBufferSize: 1024, WriteBufferSize: 512}

// socket is a WebSocket as frames.
type socket struct{ conn *websocket.Conn }

// openSocket opens a customer's WebSocket.
func openSocket(ctx context.Context, v *viewer, node *rig.Node, since string) (frames, error) {
	return dialSocket(ctx, dialer, node.URL()+livePath(v, since), nil)
}

func livePath(v *viewer, since string) string {
	path := "/v1/track/" + v.delivery.token + "/live"
	if since != "" {
		path += "?since=" + url.QueryEscape(since)
	}
	return path
}

func dialSocket(ctx context.Context, by *websocket.Dialer, address string, header http.Header) (frames, error) {
	conn, response, err := by.DialContext(ctx, "ws"+strings.TrimPrefix(address, "http"), header)
	if err != nil {
		if response != nil {
			err = &notOpened{response.StatusCode, err}
		}
		return nil, err
	}
	return &socket{conn}, nil
}

func (s *socket) next(patience time.Duration) ([]byte, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	_, text, err := s.conn.ReadMessage()
	return text, err
}

func (s *socket) close() { _ = s.conn.Close() }
