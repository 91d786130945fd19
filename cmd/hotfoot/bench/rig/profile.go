//go:build linux

package rig

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
)

// Nodes are the nodes that run now.
func (r *Rig) Nodes() []*Process {
	return slices.DeleteFunc(slices.Clone(r.children), func(p *Process) bool { return p.stopped || p.Name == "" })
}

// Profile writes a profile that a node makes of itself; kind is a name below /debug/pprof with its query.
func (p *Process) Profile(ctx context.Context, kind, path string) error {
	answer, err := p.get(ctx, "/debug/pprof/"+kind)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("profile %s of %s: %s", kind, p.Name, answer.Status)
	}
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// get asks the admin listener.
func (p *Process) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+path, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	return http.DefaultClient.Do(request)
}
