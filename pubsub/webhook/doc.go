// Package webhook reaches the servers that merchants name, and nothing else.
//
//	address a merchant typed ──ParseTarget──> Target ──Caller.Post──> DNS ──> each address ──refusal?──> their server
//
// Whoever may name an address that our servers call could have them call each other: the cloud's metadata service, Redis, a neighbour's admin page. So an
// address is looked at twice. When it is named, everything is refused that is no plain https address of a public host. When it is called, the operating
// system is about to connect to an IP address, and that one is judged: not a name that resolves to something else a moment later, nor an answer that was
// looked up before. Redirects are not followed, no proxy of the environment is asked, and an answer is read for its first bytes only.
//
// Guarantees. No byte is sent to an address that is not public, or that is this machine's own, however it was spelled and whatever DNS says, unless the operator
// allowed it. A call ends within Limit, whatever the other side does. What is sent, signed and repeated is the sender's to decide.
//
// Concurrency. A Caller may be used from anywhere.
package webhook
