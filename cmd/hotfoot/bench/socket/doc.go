//go:build linux

// Package socket is as much of the WebSocket protocol as the clients of a bench need: the handshake, and frames in both directions. It holds nothing and reads
// nothing: both loops, bench/viewers and bench/post, give it the bytes that they have.
package socket
