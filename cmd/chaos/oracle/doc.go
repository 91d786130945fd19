// Package oracle knows everything that clients were told, and judges it against what Postgres has at the end.
//
//	phones, riders, dispatcher, viewers ──what they sent and heard──> Log ──Facts──┐
//	Postgres ──Read──> Truth ──────────────────────────────────────────────────────┴──Check──> violations
//
//	I1  what was acknowledged as durable is in Postgres exactly once
//	I2  a viewer gets every status version once and in order, and ends where Postgres ends
//	I3  a marker never moves to an older fix
//	I4  nothing that was acknowledged or shown is missing from Postgres
//	I5  after the fault every process holds about what it held before
//	I6  every request is answered within 5 s, with an answer of the contract
//	I7  no position is shown while the delivery is not on its last stretch
//	I8  no phone is asked for what it was told is durable, each can empty its buffer, and versions in Postgres have no holes
//
// What it guarantees. The judgement is a pure function: the same facts and the same truth give the same violations. It trusts nothing but
// what was logged at the clients and what Postgres says; it shares no code with the product.
//
// Concurrency: a Log and its parts may be written from any goroutine; Facts are a copy.
package oracle
