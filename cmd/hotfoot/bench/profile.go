//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/bench/rig"
)

var noFileName = regexp.MustCompile(`[^\pL\pN]+`)

// profile keeps a CPU profile of every node of a rig over the time that is counted, and then one of its heap, when they are asked for. The caller
// must call wait once that time has passed.
func (b *Bench) profile(ctx context.Context, r *rig.Rig, lasting time.Duration) (wait func() error) {
	if b.Profile == "" {
		return func() error { return nil }
	}
	if err := os.MkdirAll(b.Profile, 0o755); err != nil {
		return func() error { return err }
	}
	cpu := fmt.Sprintf("profile?seconds=%d", max(1, int(lasting/time.Second)))
	nodes := r.Nodes()
	errs := make([]error, len(nodes))
	var profiling sync.WaitGroup
	for i, n := range nodes {
		path := filepath.Join(b.Profile, noFileName.ReplaceAllString(b.step+" "+n.Name, "-"))
		profiling.Go(func() {
			errs[i] = errors.Join(n.Profile(ctx, cpu, path+".cpu.pprof"), n.Profile(ctx, "heap", path+".heap.pprof"))
		})
	}
	return func() error {
		profiling.Wait()
		return errors.Join(errs...)
	}
}
