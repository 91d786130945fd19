//go:build !linux

package main

import "errors"

type benchCmd struct {
	Arguments []string `arg:"" optional:"" passthrough:"" hidden:""`
}

// Run says why it cannot.
func (*benchCmd) Run() error {
	return errors.New("bench reads what processes cost from Linux' /proc and drives its clients with epoll, so it runs on Linux only")
}
