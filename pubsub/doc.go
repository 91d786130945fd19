// Package pubsub is how facts travel between processes: announcements to whoever watches, and positions to Postgres.
//
//	scripts of the hot store ──(S)PUBLISH──> Redis ──> lanes of a Subscriber ──> gateway topics     at most once, in order per channel
//	                         └──XADD───────> Redis ──> Backlog ─────> tracking.History              at least once, in order per courier
//
// Lanes. A lane is a connection to Redis that we read ourselves (frame.go, reader.go, connection.go), with what is listened to by way of it (channel.go)
// and its life (lane.go). A channel belongs to the partition that its hash tag names, and a partition to one lane: on one server to one of a few, on a
// cluster to its own, which follows the partition's slot from master to master.
//
// Guarantees. Pub/Sub may lose whatever was sent while a connection was down or silent, or while a slot was on its way; the Subscriber cannot prevent
// that, but it always says so: a listener hears Live(true) after every (re)subscription that Redis has confirmed, and must then read again what it
// watches; and Live(false) within seconds when the connection is gone or silent, or to the wrong master. The Backlog loses nothing: an entry leaves it
// only by Ack, whatever stands in it, also of a Redis that is full. What a worker had in hand when it died or froze another takes over, so that an entry
// may come twice, and then after later ones of its courier.
//
// Concurrency. One goroutine reads a lane's connection and calls its listeners; they must not block, and those of different lanes are called at the same
// time. One that has much to do for each message may do it once for all that came together, when it hears Calm. A Backlog belongs to one loop; any number of
// them, in one process or many, share the work.
package pubsub
