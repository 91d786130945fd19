package main

import "context"

type benchCmd struct{}

// Run measures.
func (c *benchCmd) Run(ctx context.Context, w *world) error { return nil }
