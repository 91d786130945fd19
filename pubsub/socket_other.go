//go:build !linux

package pubsub

import "net"

// unwatched is the connection itself.
func unwatched(conn net.Conn) net.Conn { return conn }
