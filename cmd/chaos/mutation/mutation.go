// Package mutation makes faulty versions of the program on purpose, one fault each, so that the suite can show that it would notice.
//
//	the checkout ── one piece of source replaced ── go build -overlay ── a program with one known fault ── the row that must catch it
//
// What it guarantees. The checkout is not touched: the compiler is told to read changed copies of single files, which lie elsewhere. A mutation
// whose piece of source is not there exactly once is an error and never passes for made.
//
// Concurrency: everything may be called at any time; All is not changed.
package mutation

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"hotfoot/cmd/chaos/load"
)

// Mutation is a fault in the source, and where the suite must notice it.
type Mutation struct {
	Name  string
	Edits []Edit
	Row   string    // the row that must fail
	Env   []string  // of every node, beside the row's own
	Size  load.Size // instead of the row's own, where it is not zero
	Sign  Sign
}

// Edit replaces a piece of one file, which must be there exactly once.
type Edit struct{ File, Old, New string }

// Sign is a violation that gives a mutation away.
type Sign struct {
	Invariant string
	Says      string // a piece of its words; any will do when it is empty
}

// Apply answers the changed files of a checkout, by their path in it.
func (m Mutation) Apply(root string) (map[string]string, error) {
	changed := map[string]string{}
	for _, e := range m.Edits {
		text, ok := changed[e.File]
		if !ok {
			raw, err := os.ReadFile(filepath.Join(root, e.File))
			if err != nil {
				return nil, fmt.Errorf("mutation %q: %w", m.Name, err)
			}
			text = string(raw)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return nil, fmt.Errorf("mutation %q: %s has this %d times, not once: %s", m.Name, e.File, n, e.Old)
		}
		changed[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	return changed, nil
}

// Build compiles the program of a checkout with this mutation, and with failpoints, into a folder of its own. Without edits it is the
// program as it is.
func (m Mutation) Build(ctx context.Context, root, dir string) (program string, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return "", err
	}
	changed, err := m.Apply(root)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, text := range changed {
		copied := filepath.Join(dir, strconv.Itoa(len(overlay.Replace))+filepath.Ext(file))
		if err := os.WriteFile(copied, []byte(text), 0o644); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(root, file)] = copied
	}
	listed, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, listed, 0o644); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "hotfoot")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "failpoints,nomsgpack", "-overlay", list, "-o", program, "./cmd/hotfoot")
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mutation %q: go build: %w: %s", m.Name, err, said)
	}
	return program, nil
}
