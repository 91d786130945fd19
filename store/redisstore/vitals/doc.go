// Package vitals watches how Redis itself is: its memory, its append-only file, its replicas, its slow commands, and what it has thrown away.
//
//	every 15 s, each server: look.go ──> info.go     INFO, whose fields measure.go lists
//	                                     slowlog.go  SLOWLOG GET, by the commands' names alone
//	                                     spike.go    LATENCY LATEST
//	                                     draw.go     which kinds of keys take the memory, by keys drawn at random
//	                             watch.go keeps the last look of each, and a scrape (collect.go) answers from there
//
// Guarantees. A scrape asks no server anything. A server that did not answer has no samples, since a zero would say that all is well; the failure is
// counted under the question that failed. A look is three round trips with a bound of two seconds, whatever the server holds: nothing
// lists keys, and no more keys are measured than are drawn. Nothing that a label or a message says is a part of a key, an argument or an address
// with its password: of keys their kind, of commands their name.
//
// Concurrency. Run looks, at all servers of a cluster at once; everything else may be called at any time from anywhere.
package vitals
