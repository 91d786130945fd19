// Package hotfoot holds no code. The test beside it keeps the rules of who may import whom, and of what a package and a file may be. It reads
// what `go list` says of the whole module, so a new package is under the rules from its first day.
package hotfoot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "hotfoot"

// rule says what packages may import of this module and of others. Tests may import what they like.
type rule struct {
	// of are the packages it is for; a name that ends in /... stands for every package below it, too.
	of []string
	// may are the packages of this module that they may import, in the same notation.
	may []string
	// alone forbids modules of others: what is left is the standard library.
	alone  bool
	reason string
}

// Every package must be under exactly one rule.
var rules = []rule{
	{
		of: []string{"tracking", "web", "migrations"}, alone: true,
		reason: "the domain and what is embedded must build and be understood without any library",
	},
	{
		of: []string{"tracking/key", "tracking/wire", "tracking/frame", "tracking/trackingtest"}, may: []string{"tracking/..."}, alone: true,
		reason: "names and formats are shared by rooms that do not know each other, so they bring nothing along but the domain",
	},
	{
		of: []string{"tracking/api/...", "tracking/osrm", "tracking/oidc", "gateway/...", "pubsub/...", "store/postgres/...", "store/redisstore/..."}, may: []string{"tracking/..."},
		reason: "an adapter knows the domain and never a sibling: cmd ties them together",
	},
	{
		of:     []string{"store/private"},
		reason: "starting servers has nothing to do with the product",
	},
	{
		of:     []string{"store/storetest/scratch"},
		reason: "a folder for test servers needs nothing of the product",
	},
	{
		of: []string{"store/storetest"}, may: []string{"store/...", "migrations"},
		reason: "test servers are stores with a schema, whatever is kept in them",
	},
	{
		of: []string{"cmd/..."}, may: []string{"..."},
		reason: "cmd ties everything together",
	},
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func TestRules(t *testing.T) {
	t.Parallel()
	packages := list(t)
	t.Run("every package is under one rule, and every rule is for a package", func(t *testing.T) {
		t.Parallel()
		used := map[string]bool{}
		for _, p := range packages {
			if len(p.GoFiles) == 0 {
				continue
			}
			var under []string
			for _, r := range rules {
				for _, name := range r.of {
					if covers(name, p.ImportPath) {
						used[name] = true
						under = append(under, name)
					}
				}
			}
			if len(under) != 1 {
				t.Errorf("%s is under %d rules %q, want exactly one: say in rules_test.go what it may import", p.ImportPath, len(under), under)
			}
		}
		for _, r := range rules {
			for _, name := range r.of {
				if !used[name] {
					t.Errorf("the rule for %s is for nobody: the package is gone, so remove or rename it", name)
				}
			}
			for _, name := range r.may {
				if !slices.ContainsFunc(packages, func(p listed) bool { return covers(name, p.ImportPath) }) {
					t.Errorf("the rule for %q allows %s, which is gone", r.of, name)
				}
			}
		}
	})
	t.Run("nobody imports what its rule does not allow", func(t *testing.T) {
		t.Parallel()
		for _, p := range packages {
			for _, broken := range check(p) {
				t.Error(broken)
			}
		}
	})
}

func TestPackages(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		t.Run(strings.TrimPrefix(p.ImportPath, module+"/"), func(t *testing.T) {
			t.Parallel()
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "types", "models", "manager"}, p.Name) {
				t.Errorf("%s is a name for anything: say what it is about", p.Name)
			}
			var comments []string
			for _, name := range p.GoFiles {
				file, lines := parse(t, filepath.Join(p.Dir, name))
				if lines > 400 {
					t.Errorf("%s has %d lines; past 400 a file is two ideas", name, lines)
				}
				if file.Doc != nil {
					comments = append(comments, file.Doc.Text())
				}
			}
			if len(comments) != 1 {
				t.Fatalf("%d files have a package comment, want one", len(comments))
			}
			if n := sentences(comments[0]); n < 2 {
				t.Errorf("the package comment has %d sentences, want at least what it is and what it guarantees:\n%s", n, comments[0])
			}
		})
	}
}

// The rules themselves must be able to fail.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]listed{
		"a sibling":                    {ImportPath: "hotfoot/gateway", Imports: []string{"hotfoot/pubsub"}},
		"a store from the domain":      {ImportPath: "hotfoot/tracking", Imports: []string{"hotfoot/store/postgres"}},
		"a library in the domain":      {ImportPath: "hotfoot/tracking", Imports: []string{"github.com/redis/go-redis/v9"}},
		"its own child in the domain":  {ImportPath: "hotfoot/tracking", Imports: []string{"hotfoot/tracking/key"}},
		"a library in a format":        {ImportPath: "hotfoot/tracking/wire", Imports: []string{"golang.org/x/sync/errgroup"}},
		"cmd":                          {ImportPath: "hotfoot/tracking/api", Imports: []string{"hotfoot/cmd/hotfoot/client"}},
		"one store from the other":     {ImportPath: "hotfoot/store/redisstore", Imports: []string{"hotfoot/store/postgres"}},
		"the domain from the servers":  {ImportPath: "hotfoot/store/private", Imports: []string{"hotfoot/tracking"}},
		"the domain from test servers": {ImportPath: "hotfoot/store/storetest", Imports: []string{"hotfoot/tracking"}},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if len(check(p)) != 1 {
				t.Errorf("%s importing %q breaks %d rules, want 1", p.ImportPath, p.Imports, len(check(p)))
			}
		})
	}
	t.Run("allows the domain, the standard library and others' modules to an adapter", func(t *testing.T) {
		t.Parallel()
		p := listed{ImportPath: "hotfoot/gateway", Imports: []string{"net/http", "hotfoot/tracking", "hotfoot/tracking/frame", "github.com/gorilla/websocket"}}
		if broken := check(p); len(broken) > 0 {
			t.Error(broken)
		}
	})
}

// check answers what a package imports against its rules, each with the reason.
func check(p listed) (broken []string) {
	for _, r := range rules {
		if !slices.ContainsFunc(r.of, func(name string) bool { return covers(name, p.ImportPath) }) {
			continue
		}
		for _, path := range p.Imports {
			allowed := !r.alone
			if ours(path) {
				allowed = slices.ContainsFunc(r.may, func(name string) bool { return covers(name, path) })
			} else if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
				allowed = true // the standard library's paths begin without a domain
			}
			if !allowed {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", p.ImportPath, path, r.reason))
			}
		}
	}
	return broken
}

func ours(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// covers reports whether a name of a rule, as in "store/postgres" or "store/...", stands for the package.
func covers(name, path string) bool {
	if !ours(path) {
		return false
	}
	if parent, ok := strings.CutSuffix(name, "..."); ok {
		parent = strings.TrimSuffix(module+"/"+parent, "/")
		return path == parent || strings.HasPrefix(path, parent+"/")
	}
	return path == module+"/"+name
}

func list(t *testing.T) []listed {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Dir,GoFiles,Imports", "./...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 10 {
		t.Fatalf("go list knows %d packages: that cannot be all", len(packages))
	}
	return packages
}

func parse(t *testing.T, path string) (file *ast.File, lines int) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file, files.File(file.FileStart).LineCount()
}

// sentences counts ends of sentences that a space or the end follows; indented lines are pictures.
func sentences(comment string) (n int) {
	var words []string
	for line := range strings.Lines(comment) {
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, " ") {
			words = append(words, strings.Fields(line)...)
		}
	}
	for _, w := range words {
		if strings.HasSuffix(w, ".") || strings.HasSuffix(w, ".)") {
			n++
		}
	}
	return n
}
