package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Create a key and print it: it is shown this once."`
	List   keysListCmd   `cmd:"" help:"List keys."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke a key, on every node."`
}

type keysCreateCmd struct {
	storeFlags
	Merchant string `help:"The merchant's name; made if there is none." required:""`
	Role     string `help:"merchant: everything; ops: dispatching. Couriers get theirs when they are created." enum:"merchant,ops" default:"merchant"`
	Label    string `help:"A note for yourself."`
}

// Run creates a key.
func (c *keysCreateCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(store *postgres.Store) error {
		secret, err := createKey(ctx, store, c.Merchant, tracking.Role(c.Role), c.Label)
		if err == nil {
			fmt.Fprintln(w.stdout, secret)
		}
		return err
	})
}

func createKey(ctx context.Context, store *postgres.Store, merchant string, role tracking.Role, label string) (string, error) {
	m, err := store.Merchant(ctx, merchant, time.Now())
	if err != nil {
		return "", err
	}
	key, secret := tracking.NewKey(m.ID, role, tracking.ID{}, label)
	return secret, store.CreateKey(ctx, key, time.Now())
}

type keysListCmd struct {
	storeFlags
	Merchant string `help:"Only this merchant's."`
}

// Run lists keys.
func (c *keysListCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(store *postgres.Store) error {
		keys, err := store.Keys(ctx, c.Merchant)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tMERCHANT\tROLE\tCOURIER\tENDS IN\tLABEL\tCREATED\tREVOKED")
		for _, k := range keys {
			revoked := ""
			if k.RevokedAt != nil {
				revoked = k.RevokedAt.UTC().Format(time.DateTime)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t…%s\t%s\t%s\t%s\n", k.ID, k.Merchant, k.Role, k.Courier, k.Hint, k.Label, k.CreatedAt.UTC().Format(time.DateTime), revoked)
		}
		return table.Flush()
	})
}

type keysRevokeCmd struct {
	storeFlags
	ID string `arg:"" help:"The key's id, from hotfoot keys list."`
}

// Run revokes a key.
func (c *keysRevokeCmd) Run(ctx context.Context, w *world) error {
	id, err := tracking.ParseID(c.ID)
	if err != nil {
		return err
	}
	return withTruth(ctx, c.storeFlags, func(store *postgres.Store) error {
		hash, err := store.RevokeKey(ctx, id, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintln(w.stdout, "revoked")
		if c.RedisURL == "" {
			fmt.Fprintln(w.stdout, "REDIS_URL is not set, so nodes that know the key will notice within half a minute.")
			return nil
		}
		client, err := redisstore.Connect(c.RedisURL)
		if err != nil {
			return err
		}
		defer client.Close()
		return revoker{pubsub.NewControl(client), redisstore.New(client, store, redisstore.Config{})}.Revoke(ctx, [][32]byte{hash})
	})
}

func withTruth(ctx context.Context, flags storeFlags, use func(*postgres.Store) error) error {
	if err := flags.validateDatabase(); err != nil {
		return err
	}
	pool, err := connectChecked(ctx, flags.DatabaseURL, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	return use(postgres.New(pool, nil))
}
