// Package pubsub is how facts travel between processes: announcements to whoever watches, and positions to Postgres.
//
//	scripts of the hot store ──PUBLISH──> Redis ──> Subscriber ──> gateway topics     at most once, in order per channel
//	                         └──XADD────> Redis ──> Backlog ─────> tracking.History   at least once
//
// Guarantees. Pub/Sub may lose whatever was sent while a connection was down or silent; the Subscriber cannot prevent that, but it always
// says so: a listener hears Live(true) after every (re)subscription that Redis has confirmed, and must then read again what it watches; and
// Live(false) when the connection is gone or has been silent too long. The Backlog loses nothing: an entry leaves it only by Ack or Bury.
//
// Concurrency. One goroutine reads a Subscriber's connection and calls listeners; they must not block. A Backlog belongs to one loop.
package pubsub
