//go:build linux

package socket

import "fmt"

// Handshake is the request that opens a WebSocket (RFC 6455 section 4.1); bearer is the key, "" for none. Its nonce is one for all: what a server makes of it is not
// checked, as its being a WebSocket is not in doubt.
func Handshake(host, path, bearer string) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: hotfoot.v1\r\n", path, host)
	if bearer != "" {
		b = fmt.Appendf(b, "Authorization: Bearer %s\r\n", bearer)
	}
	return append(b, "\r\n"...)
}
