package doctor

import (
	"context"
	"time"
)

// Patient is the deployment as one of its nodes is told of it.
type Patient struct {
	Config      error // what keeps a node from starting with this configuration, or nil
	DatabaseURL string
	RedisURL    string
	Secret      string
	PublicURL   string
	Listen      string
	Gateway     bool // this node holds sockets
	BacklogMB   int
}

// partLimit bounds each part of an examination.
const partLimit = 5 * time.Second

// Examine looks at everything, and answers what it found in the order of the parts. It does not fail: what cannot be looked at is a finding.
func Examine(ctx context.Context, p Patient) []Finding {
	c := &chart{}
	c.hide(p.DatabaseURL, p.RedisURL, p.Secret)
	c.node(p)
	part := func(look func(context.Context, Patient)) {
		ctx, cancel := context.WithTimeout(ctx, partLimit)
		defer cancel()
		look(ctx, p)
	}
	part(c.truth)
	part(c.hot)
	return c.findings
}
