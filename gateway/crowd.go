package gateway

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// What counts as a crowd, in sockets, and as the end of its coming, in sockets a second.
const (
	crowdSize = 500
	crowdOver = 20
)

// crowd notices when many have come. Each handshake leaves garbage of more than ten kilobytes behind, and the stack on which HTTP was served; the collector
// would keep room for the next such crowd for minutes, which is twice the memory of all the sockets there are. So once a crowd has come, what it left is
// given back, once.
type crowd struct {
	came atomic.Int64 // since the node began
	// Of the loop that asks.
	before int64 // what came was a second ago
	tidied int64 // what came was when memory was last given back
}

// over reports, asked once a second, whether a crowd has come and the last of it is there.
func (c *crowd) over() bool {
	came := c.came.Load()
	calm := came-c.before <= crowdOver
	c.before = came
	if !calm || came-c.tidied < crowdSize {
		return false
	}
	c.tidied = came
	return true
}

// tidy gives back what a crowd has left behind. It takes two collections: the first halves the stacks that are too large, the second halves them again.
func (c *crowd) tidy() {
	if c.over() {
		runtime.GC()
		debug.FreeOSMemory()
	}
}
