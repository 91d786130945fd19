// Package tracking is Hotfoot's domain: what a delivery is, what may happen to it, who may see it, and the use cases that
// carry a fact from a courier's phone to the truth in Postgres and to whoever is watching.
//
//	api ──> Dispatch ──(one transaction)──> Ledger ──> Relay ──> Announcer ──> viewers
//	api ──> Ingest ───(one round trip)────> Hot: newest position, backlog, viewers
//	                                         └─ backlog ──> History ──> Track (Postgres)
//
// The package imports the standard library alone. What it needs from the world it asks for through small interfaces, each
// standing beside the use case that calls it; Postgres, Redis and the sockets implement them and cmd ties them together.
//
// Guarantees. A status change is durable before it is answered, ordered per delivery by Ver (1, 2, 3 …, no holes), and
// idempotent by its client event id. A position is answered with what has become of it: accepted is not yet durable. What is
// announced may be repeated and may arrive late, never out of order for one delivery: receivers compare Rev and drop what is
// not newer.
//
// Concurrency. Values are plain data. Use cases are safe for concurrent use; loops are called Run and end with their context.
package tracking
