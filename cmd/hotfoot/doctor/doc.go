// Package doctor examines a deployment: the settings and the state of its stores, and of the node that it is run on.
//
//	Examine ──> node.go       configuration, open files, what the kernel does to a Redis beside us
//	            truth.go      Postgres: settings, connections
//	              schema.go   migrations, partitions, what is owed
//	            hot.go        Redis: where it is; then each server
//	              server.go   settings, append-only file, replicas, buffers
//	              memory.go   how much it uses and may use
//	              cluster.go  slots and partitions
//	            backlog.go    positions on their way, and the workers who bring them there
//	            clock.go      the three clocks
//	                     ──> Findings ──> report.go
//
// Guarantees. It changes nothing, in no store: Postgres is asked in a read-only transaction, Redis by commands that read. Each part is given a few
// seconds, and one that does not answer does not hold up the rest. What it says holds no secret: passwords and HOTFOOT_SECRET are taken out
// of every sentence, whoever wrote it.
//
// Concurrency: none; an examination is one goroutine, but for the client of a cluster.
package doctor
