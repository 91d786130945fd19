// Package pubsub is how facts travel between processes: announcements to whoever watches, and positions to Postgres.
//
//	scripts of the hot store ──PUBLISH──> Redis ──> Subscriber ──> gateway topics     at most once, in order per channel
//	                         └──XADD────> Redis ──> Backlog ─────> tracking.History   at least once, in order per courier
//
// Guarantees. Pub/Sub may lose whatever was sent while a connection was down or silent; the Subscriber cannot prevent that, but it always
// says so: a listener hears Live(true) after every (re)subscription that Redis has confirmed, and must then read again what it watches; and
// Live(false) within seconds when the connection is gone or silent. The Backlog loses nothing: an entry leaves it only by Ack, whatever stands
// in it, also of a Redis that is full. What a worker had in hand when it died or froze another takes over, so that an entry may come twice, and
// then after later ones of its courier.
//
// Concurrency. One goroutine reads a Subscriber's connection and calls listeners; they must not block. A Backlog belongs to one loop; any number
// of them, in one process or many, share the work.
package pubsub
