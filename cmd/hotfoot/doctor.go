package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"hotfoot/cmd/hotfoot/doctor"
)

type doctorCmd struct {
	nodeFlags
	JSON bool `help:"One JSON object instead of lines for people."`
}

// Help is shown below the flags' summary.
func (doctorCmd) Help() string {
	return "Run it where a node runs, with its environment. It looks at both stores, at this machine and at the positions on their way, changes nothing, and says " +
		"of each thing that is wrong what to change. Exit code 1 when something is bad; what is only to be looked at leaves it 0."
}

// Run examines the deployment once.
func (c *doctorCmd) Run(ctx context.Context, w *world) error {
	redis.SetLogger(redisLog{w.log})
	// What the stores lack is told of in their own parts, and must not hide the rest.
	told := c.nodeFlags
	told.DatabaseURL, told.RedisURL = cmp.Or(told.DatabaseURL, "-"), cmp.Or(told.RedisURL, "-")
	findings := doctor.Examine(ctx, doctor.Patient{
		Config: told.validate(), DatabaseURL: c.DatabaseURL, RedisURL: c.RedisURL, Secret: c.Secret, PublicURL: c.PublicURL, Listen: c.Listen,
		Gateway: c.has(roleGateway), BacklogMB: c.BacklogMB,
	})
	print := func() error { return doctor.Print(w.stdout, findings, terminal(w.stdout)) }
	if c.JSON {
		print = func() error { return doctor.PrintJSON(w.stdout, findings) }
	}
	if err := print(); err != nil {
		return err
	}
	if bad := doctor.Count(findings, doctor.Bad); bad > 0 {
		return fmt.Errorf("%d of %d checks are bad", bad, len(findings))
	}
	return nil
}
