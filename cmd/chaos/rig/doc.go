// Package rig is a whole deployment of real processes that can be harmed: Postgres, Redis, nodes, and a proxy between each node and each store.
//
//	api-1 ── proxy ──┐            Node:     Kill Pause Resume Terminate Restart Supervise
//	api-2 ── proxy ──┤ Postgres   its way to a store: Cut Stall Delay LimitData Slice Heal
//	gateway-1 ───────┤            Postgres: Kill Pause Resume Restart, FillDisk, Follow and FailOver, BackUp and Restore
//	gateway-2 ───────┘ Redis      Redis:    Kill Pause Resume Restart RestartEmpty
//
// What it guarantees. Every rig is fresh: its database is a copy of a template that was migrated once. Nothing listens beyond loopback, and
// nothing is left after Close. What cannot be done (a server that does not start again) is given to Config.Fail, so that faults read as a
// list of what happens.
//
// Concurrency: a Node and a store may be used from any goroutine; each fault is given by one goroutine at a time.
package rig
