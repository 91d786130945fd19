//go:build linux

// Package uncached is the customer's snapshot with nothing hot: what Hotfoot's GET /v1/track/{token} is measured against.
//
//	GET /v1/track/:token ── link opened ──> Postgres ──> tracking.See ──> frame.Snapshot
//	                                        OneQuery: everything in one statement, each part one step down an index
//	                                        PerPart:  a statement for each part, one after the other, as code with an object for each table does it
//
// Everything but the reading is Hotfoot's own: the router with what it counts, the link, the decision what a customer may see, the frame and the
// headers, the settings of the pool. So the difference is where a snapshot comes from, and nothing else. It promises no more than that: what Postgres
// has is what is answered. Any number of requests may be answered at once.
package uncached
