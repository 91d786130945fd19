package main

import "context"

type serveCmd struct {
	nodeFlags
}

// Help is shown below the flags' summary.
func (serveCmd) Help() string {
	return "The database must have the current schema: run `hotfoot migrate up` first. Keys are made with `hotfoot keys create`."
}

// Run serves until it is asked to stop.
func (c *serveCmd) Run(ctx context.Context, w *world) error {
	n, err := newNode(ctx, c.nodeFlags, w.log)
	if err != nil {
		return err
	}
	return n.run(ctx)
}
