// Package gateway keeps the sockets: customers watching one delivery, dispatchers watching the map, couriers hearing of their route.
//
//	Feed ──record, position──> gate ──one frame an event──> outbox ──> socket     (customer; SSE alike)
//	Records ──what was missed, in bulk──^
//	Feed ──fleet────────────> fleet ──one frame a tick────> outbox ──> socket     (live map)
//	Feed ──jobs─────────────> route ──────────────────────> outbox ──> socket     (courier)
//
// The protocol on one page. Text frames, one JSON object each; the subprotocol is hotfoot.v1.
//
//	customer  ← snapshot   everything that may be known now; may come again and then replaces all
//	          ← status     ver is the last one + 1; lower is old, higher means a hole: ask again with ?since=<epoch>.<ver>
//	          ← view       who and what may be seen has changed
//	          ← position   the newest place; carries the newest ver as sv
//	          ← tick       every 5 s when nothing else was said
//	          ← bye        why the server closes and when to come back, then the close frame
//	live map  → view       bbox, zoom, filter: whenever the map moves
//	          ← frame      what changed inside since the last one
//	courier   ← assigned | unassigned | cancelled | reordered, then route: all stops in order
//	          → positions  as POST /v1/courier/positions, with an id
//	          ← receipt    the answer, with the same id
//
// Guarantees. A viewer gets a snapshot, then every later status exactly once and in order: the topic subscribes and has it confirmed before it
// reads, and what it hears is whole records compared by revision, so nothing falls between and nothing counts twice. What is shown as live was
// read after every watch was confirmed, and none has been lost since. After any doubt (a reconnect, a silent canary, a revision that does not match)
// it is read again; as long as nothing can be heard it is read every two seconds, a fleet every five, and viewers are told that it is not live.
// Positions are newest-wins per socket: a slow one gets fewer, never an older after a newer, and none once the courier is hidden. Statuses are never
// dropped: a socket that cannot take them is closed. One slow socket delays nobody.
//
// Bounds. Sockets and streams of a node: Config.MaxConns; of an address: Config.MaxPerAddress; of a key: Config.MaxPerKey; viewers on their way in: Config.MaxOpening. Viewers of a delivery: 2,000. What waits for one
// viewer: a position, and 128 events or 44 kB of them. Fixes that a merchant wants shown late: 64 of a delivery. A socket whose peer is gone, or takes nothing: 55 s; a stream, which cannot be pinged, when it
// has taken nothing for so long, or TCP gives it up. The life of either: 25 to 35 minutes. A topic that nobody watches any more: 10 s. Topics read in
// one round: 1,000, with 16 records at a time. A fleet: 50,000 couriers and as many deliveries. What waits for a map that takes no frames: 20,000
// events, and an alert for each courier and delivery. What a map is sent: 256 kB a second, and 2 MB at once after it was quiet; what would be more waits, who waits longest first, and
// events, alerts and those who left never do. Windows answered: four a second.
//
// Concurrency. A topic's state is guarded by its mutex, which is never held across I/O that waits: frames are written while it is held as far as the
// network takes them at once. A viewer's socket is heard by the poller, which all share; one whose messages take time to answer has a reader of its own.
// A writer exists only while something waits for the network. Everything started is waited for by Hub.Close.
package gateway
