package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"hotfoot/store/private"
)

// secret seals the links of every rig; it protects nothing.
const secret = "only the chaos suite uses this secret, for a moment"

// Template is a migrated database with two keys in it. Copying it is much quicker than making another.
type Template struct {
	dir         string
	MerchantKey string
	OpsKey      string
}

// NewTemplate makes one below dir with the product's own commands.
func NewTemplate(ctx context.Context, hotfoot, dir string) (_ *Template, err error) {
	t := &Template{dir: filepath.Join(dir, "template")}
	server, err := private.StartPostgres(ctx, private.Config{Dir: t.dir})
	if err != nil {
		return nil, err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		err = errors.Join(err, server.Stop(stopping))
	}()
	if _, err := run(ctx, hotfoot, server.URL(), "migrate", "up"); err != nil {
		return nil, err
	}
	if t.MerchantKey, err = run(ctx, hotfoot, server.URL(), "keys", "create", "--merchant", "Chaos Kitchen"); err != nil {
		return nil, err
	}
	t.OpsKey, err = run(ctx, hotfoot, server.URL(), "keys", "create", "--merchant", "Chaos Kitchen", "--role", "ops")
	return t, err
}

// run runs one of the product's own commands on a database, and answers what it says.
func run(ctx context.Context, hotfoot, databaseURL string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, hotfoot, args...)
	cmd.Env = environment("DATABASE_URL=" + databaseURL)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("hotfoot %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return strings.TrimSpace(string(said)), nil
}

// Hotfoot runs one of the product's own commands on the rig's Postgres, as an operator would.
func (r *Rig) Hotfoot(ctx context.Context, args ...string) string {
	said, err := run(ctx, r.config.Hotfoot, r.Postgres.server.URL(), args...)
	if err != nil {
		r.config.Fail(err)
	}
	return said
}

// stopLimit is far more than a server needs to stop.
const stopLimit = 20 * time.Second

// copyTo puts a copy of the database below dir, owners and modes kept.
func (t *Template) copyTo(ctx context.Context, dir string) error {
	said, err := exec.CommandContext(ctx, "cp", "-a", filepath.Join(t.dir, "postgres"), dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copying the database: %w: %s", err, said)
	}
	return nil
}
