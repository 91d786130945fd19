// Package load is everybody who uses a deployment at once, as its contract wants them to behave, each noting what it sent and heard.
//
//	phone ──────> POST positions, keeps each fix until it is durable     ┐
//	rider ──────> POST statuses, each until it is answered 200           ├── caller ──> any api node
//	dispatcher ─> creates, assigns, takes back, cancels, reorders        ┘
//	viewer <───── WebSocket or stream, resumes at any gateway
//	mapViewer <── live map
//
// What it guarantees. Clients do what the contract asks of them and no more: what they lose, the product has lost. Each draws from a random
// source of its own, made from one seed, so that a row repeats as far as clocks and schedulers let it.
//
// Concurrency: each of them is one goroutine, owned by the Load and waited for by Close.
package load
