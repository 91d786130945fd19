//go:build linux

// Package viewers are the clients of a bench: tens of thousands of WebSockets that cost little, since their cost must not count for the server's.
//
//	Set.Open ── connect, handshake ──> server        one thread, one epoll
//	Set.Run  <── frames ────────────── server        headers are read, and the few bytes that Each wants
//
// A set does something only while one of its methods runs, all in the caller's goroutine: nothing of it may be used by two at once, and between
// two calls pings stay unanswered. Its sockets are spread over several loopback addresses, since one address has ports for 28,000. A frame that no
// server should send is an error and not guessed at. A refused handshake is repeated after what Retry-After says, with full jitter.
package viewers
