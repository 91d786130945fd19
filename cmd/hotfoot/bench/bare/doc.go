//go:build linux

// Package bare is the limit that a gateway is measured against: the least that a process can do to bring updates to sockets.
//
//	feed: one TCP connection, length-prefixed updates ──> one thread, one epoll ── write(2) ──> the topic's sockets
//
// It accepts sockets with a minimal handshake, gives each the same first message, and writes every update to the sockets of its topic. There are
// no queues, no pings, no authentication, no second process: nothing that a product needs and that costs. So it promises nothing: a socket that
// does not take a whole frame at once is dropped, and a new feed takes the place of the one before. It is one thread, and Server must be used from one goroutine.
package bare
