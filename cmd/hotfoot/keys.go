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
	Rotate keysRotateCmd `cmd:"" help:"Make a key in place of another, which goes on for a while."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke a key, on every node and every open socket."`
}

type keysCreateCmd struct {
	storeFlags
	Merchant string        `help:"The merchant's name; made if there is none." required:""`
	Role     string        `help:"merchant: everything; ops: dispatching. Couriers get theirs when they are created." enum:"merchant,ops" default:"merchant"`
	Label    string        `help:"A note for yourself."`
	Lasts    time.Duration `help:"How long it opens anything, such as 2160h; for ever when not given." placeholder:"DURATION"`
}

// Run creates a key.
func (c *keysCreateCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		secret, err := createKey(ctx, store, c.Merchant, tracking.Role(c.Role), c.Label, c.Lasts)
		if err == nil {
			fmt.Fprintln(w.stdout, secret)
		}
		return err
	})
}

func createKey(ctx context.Context, store *postgres.Store, merchant string, role tracking.Role, label string, lasts time.Duration) (string, error) {
	m, err := store.Merchant(ctx, merchant, time.Now())
	if err != nil {
		return "", err
	}
	var expires time.Time
	if lasts != 0 {
		expires = time.Now().Add(lasts)
	}
	_, secret, err := tracking.NewLocksmith(store, untold{}, time.Now, nil).Cut(ctx, tracking.Actor{Role: tracking.RoleOperator, MerchantID: m.ID}, role, label, expires)
	return secret, err
}

type keysListCmd struct {
	storeFlags
	Merchant string `help:"Only this merchant's."`
}

// Run lists keys.
func (c *keysListCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		keys, err := store.Keys(ctx, c.Merchant)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tMERCHANT\tROLE\tCOURIER\tENDS IN\tLABEL\tCREATED\tEXPIRES\tREVOKED")
		for _, k := range keys {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t…%s\t%s\t%s\t%s\t%s\n",
				k.ID, k.Merchant, k.Role, k.Courier, k.Hint, k.Label, dateOf(&k.CreatedAt), dateOf(k.ExpiresAt), dateOf(k.RevokedAt))
		}
		return table.Flush()
	})
}

func dateOf(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.DateTime)
}

type keysRotateCmd struct {
	storeFlags
	ID      string        `arg:"" help:"The key's id, from hotfoot keys list."`
	Overlap time.Duration `help:"How long the old key goes on; 0 ends it at once." default:"24h"`
}

// Run makes a key in place of another and prints it.
func (c *keysRotateCmd) Run(ctx context.Context, w *world) error {
	return withLocksmith(ctx, w, c.storeFlags, c.ID, func(keys *tracking.Locksmith, id tracking.ID) error {
		_, secret, err := keys.Replace(ctx, tracking.Actor{Role: tracking.RoleOperator}, id, c.Overlap)
		if err == nil {
			fmt.Fprintln(w.stdout, secret)
		}
		return err
	})
}

type keysRevokeCmd struct {
	storeFlags
	ID string `arg:"" help:"The key's id, from hotfoot keys list."`
}

// Run revokes a key.
func (c *keysRevokeCmd) Run(ctx context.Context, w *world) error {
	return withLocksmith(ctx, w, c.storeFlags, c.ID, func(keys *tracking.Locksmith, id tracking.ID) error {
		err := keys.Revoke(ctx, tracking.Actor{Role: tracking.RoleOperator}, id)
		if err == nil {
			fmt.Fprintln(w.stdout, "revoked")
		}
		return err
	})
}

// withLocksmith works for an operator, to whom all merchants' keys are theirs. Without Redis the nodes are not told, but they ask.
func withLocksmith(ctx context.Context, w *world, flags storeFlags, idText string, use func(*tracking.Locksmith, tracking.ID) error) error {
	id, err := tracking.ParseID(idText)
	if err != nil {
		return err
	}
	return withTruth(ctx, flags, func(ctx context.Context, store *postgres.Store) error {
		if flags.RedisURL == "" {
			fmt.Fprintln(w.stdout, "REDIS_URL is not set, so nodes that know the key will notice within half a minute.")
			return use(tracking.NewLocksmith(store, untold{}, time.Now, w.log), id)
		}
		client, err := redisstore.Connect(flags.RedisURL)
		if err != nil {
			return err
		}
		defer client.Close()
		nodes := revoker{pubsub.NewControl(client), redisstore.New(client, store, redisstore.Config{})}
		return use(tracking.NewLocksmith(store, nodes, time.Now, w.log), id)
	})
}

// untold is a Revoker that reaches nobody.
type untold struct{}

func (untold) Revoke(context.Context, [][32]byte) error { return nil }

// withTruth opens Postgres for a command. What it changes under the context is put down to the operator.
func withTruth(ctx context.Context, flags storeFlags, use func(context.Context, *postgres.Store) error) error {
	if err := flags.validateDatabase(); err != nil {
		return err
	}
	pool, err := connectChecked(ctx, flags.DatabaseURL, 2)
	if err != nil {
		return err
	}
	defer pool.Close()
	return use(tracking.By(ctx, tracking.Actor{Role: tracking.RoleOperator}), postgres.New(pool, nil))
}
