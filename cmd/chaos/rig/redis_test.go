package rig

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hotfoot/cmd/chaos/proxy"
)

func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A replica that is cut off lacks what came later, and takes over with what it has.
func TestRedis_Promote(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	r, err := startRedis(ctx, t.TempDir(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	way, _, err := r.through(t.TempDir(), "node")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = way.Close() })
	for round := range 2 {
		r.Do(ctx, "SET", "before", round)
		replica := r.Follow(ctx)
		replica.Link.Stall(proxy.Both)
		r.Do(ctx, "SET", "after", round)
		if lost := r.KillMaster(ctx); lost <= 0 {
			t.Errorf("round %d: nothing was lost (%d)", round, lost)
		}
		r.Promote(ctx)
		if n, err := r.Client.Get(ctx, "before").Int(); err != nil || n != round {
			t.Errorf("round %d: before is %d, %v", round, n, err)
		}
		if n := r.Client.Exists(ctx, "after").Val(); n != 0 {
			t.Errorf("round %d: it has what it never heard of", round)
		}
	}
	// It restarts as itself, and as a master.
	r.Restart()
	r.Do(ctx, "SET", "after", 1)
	r.RestartEmpty()
	if n := r.Client.DBSize(ctx).Val(); n != 0 {
		t.Errorf("%d keys are left", n)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	ctx := patience(t)
	c, err := startCluster(ctx, t.TempDir(), 3, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	for i := range 10 {
		if err := c.Client.Set(ctx, fmt.Sprintf("{p7}:%d", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	slot := c.Slot(ctx, "{p7}")
	for range 3 {
		from := c.Owner(ctx, slot)
		m := c.Move(ctx, slot, (from+1)%c.Len())
		if n := m.Keys(ctx, 4); n != 4 || c.Owner(ctx, slot) != from {
			t.Errorf("moved %d keys; slot %d is served by %d", n, slot, c.Owner(ctx, slot))
		}
		if n := m.End(ctx); n != 6 || c.Owner(ctx, slot) == from {
			t.Errorf("then moved %d keys; slot %d is served by %d", n, slot, c.Owner(ctx, slot))
		}
		for i := range 10 {
			if n, err := c.Client.Get(ctx, fmt.Sprintf("{p7}:%d", i)).Int(); err != nil || n != i {
				t.Errorf("key %d is %d, %v", i, n, err)
			}
		}
	}
	if said := c.Redirections(ctx); said["MOVED"] == 0 {
		t.Errorf("masters said %v", said)
	}
	c.Kill(0)
	c.recover()
	for i := range 10 {
		if err := c.Client.Get(ctx, fmt.Sprintf("{p7}:%d", i)).Err(); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	}
}
