// Package private runs our own Postgres and Redis as child processes on unix sockets in a data folder.
//
//	Dir/postgres.lock, redis.lock   held while the server runs: one owner per folder
//	Dir/postgres.log,  redis.log    what the servers say, newest last
//	Dir/postgres/                   sockets, and data/ the cluster
//	Dir/redis/                      socket, and the append-only file
//
// What it guarantees. Nothing listens on TCP but the nodes of a Cluster, on loopback; sockets lie in folders closed to other users. Every durable setting of
// both servers is on: what was committed survives a kill at any moment. The folder is kept, so that the next start finds the
// data. A server never outlives its owner: on Linux the kernel ends it with our process however that dies, elsewhere the next
// start in the same folder does. A folder has one owner at a time; a second is refused.
//
// Started by root, who may not run Postgres, both servers run as another user; see account.
//
// Concurrency: all methods of Server may be called from any goroutine. Each server has one goroutine of its own, on its own OS
// thread, which ends with the server; Stop and Kill wait for it.
package private
