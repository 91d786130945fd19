package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChart_node(t *testing.T) {
	t.Parallel()
	good := Patient{Secret: "W8JwPzvJm4xq0u1kFjX3Vb7sT5dYh2Lc", PublicURL: "https://track.example", Listen: "127.0.0.1:8080"}
	look := func(change func(*Patient)) []Finding {
		p, c := good, &chart{}
		change(&p)
		c.node(p)
		return c.findings
	}
	for _, check := range []string{"configuration", "secret", "public address", "open files"} {
		expect(t, look(func(*Patient) {}), check, OK)
	}
	expect(t, look(func(p *Patient) { p.Config = errors.New("HOTFOOT_ROLES is empty") }), "configuration", Bad, "HOTFOOT_ROLES is empty")
	expect(t, look(func(p *Patient) { p.Secret = strings.Repeat("secret", 8) }), "secret", Warn, "openssl rand -base64 32")
	expect(t, look(func(p *Patient) { p.PublicURL = "" }), "public address", Warn, "127.0.0.1:8080")
	expect(t, look(func(p *Patient) { p.PublicURL = "http://track.example" }), "public address", Warn, "not https")
	for _, here := range []string{"http://localhost:8080", "http://127.0.0.1", "http://[::1]:80"} {
		expect(t, look(func(p *Patient) { p.PublicURL = here }), "public address", OK)
	}
}

func TestChart_kernel(t *testing.T) {
	t.Parallel()
	look := func(overcommit, hugePages string) []Finding {
		root := t.TempDir()
		for path, value := range map[string]string{overcommitFile: overcommit, hugePagesFile: hugePages} {
			must(t, os.MkdirAll(filepath.Dir(root+path), 0o700))
			must(t, os.WriteFile(root+path, []byte(value+"\n"), 0o600))
		}
		c := &chart{}
		c.kernel(root)
		return c.findings
	}
	expect(t, look("0", "always [madvise] never"), "redis kernel", Warn, "sysctl vm.overcommit_memory=1")
	expect(t, look("1", "[always] madvise never"), "redis kernel", Warn, "echo madvise")
	expect(t, look("1", "always [madvise] never"), "redis kernel", OK)
	c := &chart{}
	c.kernel(t.TempDir())
	expect(t, c.findings, "redis kernel", OK)
}

func TestChart_clock(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]Level{0: OK, -5 * time.Second: Warn, 5 * time.Second: Warn, -2 * time.Minute: Bad, 2 * time.Minute: Bad} {
		c := &chart{}
		c.clock(t.Context(), "clock", func(context.Context) (time.Time, error) { return time.Now().Add(ahead), nil })
		expect(t, c.findings, "clock", want)
	}
}
