package gateway

import "time"

// Hasty is what a Hub waits for, shortened for a test; what is zero stays as it is.
type Hasty struct{ Ping, Silence, Write, Poll, Check, Reload, Linger, Keys time.Duration }

// Hasty shortens what a Hub waits for.
func (c Config) Hasty(h Hasty) Config {
	c.timing = timing{ping: h.Ping, silence: h.Silence, write: h.Write, poll: h.Poll, check: h.Check, reload: h.Reload, linger: h.Linger, keys: h.Keys}
	return c
}
