//go:build linux

// Package layer is the customer's snapshot from one layer alone: what Hotfoot's GET /v1/track/{token} is measured against.
//
//	GET /v1/track/:token ── link opened ──> Assemble ──> tracking.See ──> frame.Snapshot
//	                                        PerPart   Postgres, a statement for each part, one after the other, as code with an object for each table does it
//	                                        OneQuery  Postgres, everything in one statement, each part one step down an index
//	                                        Hash      Redis, the delivery's hash and then the courier's; the process keeps nothing
//
// Of a stampede there is a limit, too: Crowd, which is net/http, one reading for all who ask meanwhile and the same bytes for each. Of the others
// everything but the reading is Hotfoot's own: the router with what it counts, the link, the decision what a customer may see, the frame and the
// headers, the settings of the pool. So the difference is where a snapshot comes from, and nothing else. It promises no more than that: what a layer
// has is what is answered. Any number of requests may be answered at once.
package layer
