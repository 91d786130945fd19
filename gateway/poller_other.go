//go:build !linux

package gateway

// poller hears nobody here: each socket has a goroutine that does.
type poller struct{}

func (*poller) watch(*conn) bool { return false }

func (*poller) stop() {}
