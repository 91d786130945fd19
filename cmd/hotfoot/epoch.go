package main

import (
	"context"
	"fmt"

	"hotfoot/store/postgres"
)

type epochCmd struct {
	Show epochShowCmd `cmd:"" help:"Print the epoch."`
	Bump epochBumpCmd `cmd:"" help:"Raise the epoch."`
}

// Help is shown below the commands' summary.
func (epochCmd) Help() string {
	return "The epoch says which history of Postgres viewers and hot copies have seen. Bump it after Postgres went back in time: when a backup was restored, " +
		"or a standby took over that lacked the last transactions. Versions of deliveries are then given out a second time, with other content, and only " +
		"a new epoch tells them apart. Bump once for each such event, after Postgres accepts writes again; to do it without need costs every viewer a " +
		"fresh snapshot and nothing else."
}

type epochShowCmd struct{ storeFlags }

// Run prints the epoch.
func (c *epochShowCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		epoch, err := store.Epoch(ctx)
		if err == nil {
			fmt.Fprintln(w.stdout, epoch)
		}
		return err
	})
}

type epochBumpCmd struct{ storeFlags }

// Run raises the epoch.
func (c *epochBumpCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		before, err := store.Epoch(ctx)
		if err != nil {
			return err
		}
		epoch, err := store.RaiseEpoch(ctx)
		if err == nil {
			fmt.Fprintf(w.stdout, "%d → %d\nNodes notice within five seconds: what is hot is read again from Postgres, and viewers get a fresh snapshot.\n", before, epoch)
		}
		return err
	})
}
