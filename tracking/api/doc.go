// Package api is the HTTP contract: merchants and dispatchers, couriers, customers, and what operators ask.
//
//	request ──> gin ──> key? ──> strict JSON ──> huma: schema ──> use case ──> answer
//	                     └───────────┴──────────────┴───────────────┴──> problem+json (RFC 9457) with a stable code
//
// Guarantees. A request either is understood completely or is refused naming the field: unknown fields, duplicate keys, trailing bytes, NUL and
// broken UTF-8 do not slip through. An error never shows a cause, a query or a path of ours. Every unknown, revoked, expired or malformed tracking
// token is answered with the same bytes. Secrets are neither logged nor echoed.
//
// Concurrency. Handlers keep no state of their own; what they share is safe for concurrent use.
package api
