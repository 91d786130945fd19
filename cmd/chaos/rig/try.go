package rig

import (
	"context"
	"os"
)

// Try starts one more process with the node's settings and these, and answers whether it came to serve, and what it said. It is no part of the
// deployment, and gone when Try returns.
func (n *Node) Try(env ...string) (serves bool, said string) {
	log := n.log + ".try"
	defer os.Remove(log)
	p, err := launch(n.hotfoot, append(append([]string(nil), n.env...), env...), log)
	if err != nil {
		n.fail(err)
		return false, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	serves = p.awaitServing(ctx) == nil
	_ = p.cmd.Process.Kill()
	<-p.exited
	return serves, tail(log)
}
