package mutation

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the checkout, seen from this package.
const root = "../../.."

func TestAll(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range All {
		if names[m.Name] || m.Name == "" || m.Row == "" || m.Sign.Invariant == "" || len(m.Edits) == 0 || strings.Contains(m.Name, "|") {
			t.Errorf("mutation %q is there twice, says too little of itself or would break the table", m.Name)
		}
		names[m.Name] = true
		changed, err := m.Apply(root)
		if err != nil {
			t.Errorf("%v; move the mutation along with the source", err)
		}
		for file, text := range changed {
			if filepath.Ext(file) != ".go" {
				continue
			}
			if _, err := parser.ParseFile(token.NewFileSet(), file, text, 0); err != nil {
				t.Errorf("mutation %q: %v", m.Name, err)
			}
		}
	}
}

func TestMutation_Apply(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte("one two two three"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		edits []Edit
		want  string
	}{
		"replaces what is there once":        {[]Edit{{"x.go", "one", "1"}, {"x.go", "three", "3"}}, "1 two two 3"},
		"refuses what is there twice":        {[]Edit{{"x.go", "two", "2"}}, ""},
		"refuses what is not there":          {[]Edit{{"x.go", "four", "4"}}, ""},
		"refuses a file that is not there":   {[]Edit{{"y.go", "one", "1"}}, ""},
		"refuses what an earlier edit broke": {[]Edit{{"x.go", "one", "1"}, {"x.go", "one", "1"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed, err := Mutation{Name: name, Edits: test.edits}.Apply(dir)
			if (err == nil) != (test.want != "") || changed["x.go"] != test.want {
				t.Errorf("%q, %v", changed["x.go"], err)
			}
		})
	}
}
