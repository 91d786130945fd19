//go:build !linux

package main

import "net"

// listen is net.Listen on TCP. Only Linux can be told how long a peer may leave what it was sent unacknowledged.
func listen(address string) (net.Listener, error) { return net.Listen("tcp", address) }
