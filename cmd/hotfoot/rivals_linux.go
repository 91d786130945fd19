package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgxpool"

	"hotfoot/cmd/hotfoot/bench/bare"
	"hotfoot/cmd/hotfoot/bench/firstversion"
	"hotfoot/cmd/hotfoot/bench/layer"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
)

// benchServeBareCmd is the limit, as a process of its own.
type benchServeBareCmd struct{}

// Run serves until ctx ends.
func (benchServeBareCmd) Run(ctx context.Context, w *world) error {
	server, err := bare.Listen()
	if err != nil {
		return err
	}
	defer server.Close()
	w.log.Info("serving", "address", server.Sockets, "feed", server.Feed)
	return server.Run(ctx)
}

// benchServeFirstVersionCmd is the first version, as a process of its own.
type benchServeFirstVersionCmd struct{ storeFlags }

// Run serves until ctx ends.
func (c *benchServeFirstVersionCmd) Run(ctx context.Context, w *world) error {
	if err := c.validate(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("first version: %w", err)
	}
	server, err := firstversion.New(ctx, c.DatabaseURL, c.RedisURL)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	w.log.Info("serving", "address", listener.Addr().String(), "admin", listener.Addr().String())
	return server.Run(ctx, listener)
}

// layerFlags are what a server needs that answers snapshots from one layer. Its heap has the floor that a node's has.
type layerFlags struct {
	storeFlags
	Secret string `env:"HOTFOOT_SECRET" required:""`
}

// serveLayer serves until ctx ends.
func serveLayer(ctx context.Context, w *world, server *layer.Server) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("layer: %w", err)
	}
	raiseHeapFloor()
	w.log.Info("serving", "address", listener.Addr().String())
	return server.Run(ctx, listener)
}

// servePostgres has as many connections as a node, and has them before anybody asks: made while a thousand wait, one may take longer than it is given.
func (f layerFlags) servePostgres(ctx context.Context, w *world, over func(*pgxpool.Pool) (*layer.Server, error)) error {
	db, err := postgres.Connect(f.DatabaseURL, maxConns)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := connectAll(ctx, db); err != nil {
		return err
	}
	server, err := over(db)
	if err != nil {
		return err
	}
	return serveLayer(ctx, w, server)
}

// connectAll makes every connection that a pool may have.
func connectAll(ctx context.Context, db *pgxpool.Pool) error {
	for range db.Config().MaxConns {
		connection, err := db.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("layer: %w", err)
		}
		defer connection.Release()
	}
	return nil
}

// benchServeNaiveCmd answers snapshots from Postgres with a statement for each part, as a process of its own.
type benchServeNaiveCmd struct{ layerFlags }

// Run serves until ctx ends.
func (c *benchServeNaiveCmd) Run(ctx context.Context, w *world) error {
	return c.servePostgres(ctx, w, func(db *pgxpool.Pool) (*layer.Server, error) {
		return layer.New(c.Secret, layer.PerPart(db), w.log)
	})
}

// benchServeUncachedCmd answers snapshots from Postgres with one statement, as a process of its own.
type benchServeUncachedCmd struct{ layerFlags }

// Run serves until ctx ends.
func (c *benchServeUncachedCmd) Run(ctx context.Context, w *world) error {
	return c.servePostgres(ctx, w, func(db *pgxpool.Pool) (*layer.Server, error) {
		return layer.New(c.Secret, layer.OneQuery(db), w.log)
	})
}

// benchServeCrowdCmd answers all who ask for a snapshot at the same time from one statement, as a process of its own.
type benchServeCrowdCmd struct{ layerFlags }

// Run serves until ctx ends.
func (c *benchServeCrowdCmd) Run(ctx context.Context, w *world) error {
	return c.servePostgres(ctx, w, func(db *pgxpool.Pool) (*layer.Server, error) {
		return layer.NewCrowd(c.Secret, layer.OneQuery(db))
	})
}

// benchServeHashCmd answers snapshots from Redis alone, as a process of its own.
type benchServeHashCmd struct{ layerFlags }

// Run serves until ctx ends.
func (c *benchServeHashCmd) Run(ctx context.Context, w *world) error {
	client, err := redisstore.Connect(c.RedisURL)
	if err != nil {
		return err
	}
	defer client.Close()
	server, err := layer.New(c.Secret, layer.Hash(client), w.log)
	if err != nil {
		return err
	}
	return serveLayer(ctx, w, server)
}
