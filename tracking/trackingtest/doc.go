// Package trackingtest holds what every implementation of a port of package tracking must pass, a ledger in memory for tests of what
// stands on one, and a guard against secrets in logs.
//
//	trackingtest.Ledger(t, func(t) trackingtest.Shop)    the suite; Memory and the Postgres store both go through it
//	trackingtest.NewMemory()                             a ledger without a database
//	trackingtest.NewGuard(t, secret).Log(t, w)           a log in which a link or a key fails the test
//
// The suite says what the port's comments promise: a decision is made under the delivery's lock, ver has no holes, an error changes nothing,
// stops are counted again whenever a route changes.
//
// Concurrency: Memory is safe for concurrent use; each subtest of the suite opens a shop of its own.
package trackingtest
