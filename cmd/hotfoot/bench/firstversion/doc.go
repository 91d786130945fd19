//go:build linux

// Package firstversion is what most teams write first, and what Hotfoot is measured against: it works, it is idiomatic, and it is how the
// tutorials of its libraries do it.
//
//	POST /positions ── gin ──> HSET of nine fields, PUBLISH, INSERT, one after the other ──> 200 once it is committed
//	GET /watch/:id ─── gorilla ──> SUBSCRIBE on a connection of its own, HGETALL as the first message, then what is published
//
// Two goroutines a socket, as in gorilla's chat example: one reads and keeps the deadline, one writes what its subscription brings, and pings. A viewer
// who takes nothing for ten seconds is cut. It promises no more than that: what is published between HGETALL and SUBSCRIBE's answer is lost,
// order is Redis' own, and nothing survives an outage of either store. It is measured and not sold, so it has no authentication.
package firstversion
