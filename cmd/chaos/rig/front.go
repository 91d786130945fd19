package rig

import (
	"fmt"
	"strings"

	"hotfoot/cmd/chaos/proxy"
)

// putFront puts a proxy between clients and the process that serves now.
func (n *Node) putFront() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	address := strings.TrimPrefix(n.process.address(), "http://")
	front, err := proxy.Listen(proxy.Address{Network: "tcp", Name: "127.0.0.1:0"}, proxy.Address{Network: "tcp", Name: address})
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	n.Front = front
	return nil
}
