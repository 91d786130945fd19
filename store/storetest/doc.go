// Package storetest gives every test real stores of its own.
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
//
//	Postgres(t)   one private server a test process, one database a test: cloned from a migrated one, dropped at the end
//	Redis(t)      one private server a test, since Pub/Sub channels and scripts are shared by all databases of a server
//
// What it guarantees. Tests see nothing of one another, so all of them may be parallel. The stores are the ones of production,
// with durable settings, on unix sockets: no port, no server that somebody else uses or configured. Nothing is
// left behind, not even by a run that was killed: the servers die with the process and its folder is swept by a later run.
//
// Tests of outages use package private itself, with Dir and Migrate from here.
//
// Concurrency: everything may be called from any test at any time.
package storetest
