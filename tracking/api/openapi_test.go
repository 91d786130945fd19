package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestServer_openapi(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.do(t, "GET", "/openapi.json", "", nil)
	if a.status != 200 || !strings.Contains(a.header.Get("Content-Type"), "json") {
		t.Fatalf("%d %s", a.status, a.header.Get("Content-Type"))
	}
	doc := a.object(t)
	t.Run("is OpenAPI 3.1 with a title and a version", func(t *testing.T) {
		if v := text(doc["openapi"]); !strings.HasPrefix(v, "3.1.") {
			t.Errorf("openapi %q, want 3.1", v)
		}
		if info := doc["info"].(object); text(info["title"]) == "" || info["version"] != "test" {
			t.Errorf("info %v", info)
		}
	})
	operations := map[string]object{}
	for path, item := range doc["paths"].(object) {
		for method, operation := range item.(object) {
			operations[strings.ToUpper(method)+" "+path] = operation.(object)
		}
	}
	t.Run("names every route of the contract and no other", func(t *testing.T) {
		var want, got []string
		for _, r := range contract {
			want = append(want, r.String())
		}
		for name := range operations {
			got = append(got, name)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	})
	t.Run("says of every route what it is, what it takes, and whether it needs a key", func(t *testing.T) {
		seen := map[string]bool{}
		for _, r := range contract {
			o := operations[r.String()]
			id := text(o["operationId"])
			if id == "" || seen[id] || text(o["summary"]) == "" || len(o["responses"].(object)) == 0 {
				t.Errorf("%s: operationId %q, summary %q, responses %v", r, id, o["summary"], o["responses"])
			}
			seen[id] = true
			if _, keyed := o["security"]; keyed != (len(r.roles) > 0) {
				t.Errorf("%s: says that it needs a key: %v, want %v", r, keyed, !keyed)
			}
			for part := range strings.SplitSeq(r.path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok && !strings.Contains(fmt.Sprint(o["parameters"]), "name:"+strings.TrimSuffix(name, "}")) {
					t.Errorf("%s: the parameter %s is not described", r, part)
				}
			}
		}
	})
	t.Run("its references lead somewhere", func(t *testing.T) {
		schemas := doc["components"].(object)["schemas"].(object)
		walk(doc, func(o object) {
			if ref, ok := o["$ref"].(string); ok {
				if _, there := schemas[strings.TrimPrefix(ref, "#/components/schemas/")]; !there {
					t.Errorf("%s leads nowhere", ref)
				}
			}
		})
	})
	t.Run("problems are described as such", func(t *testing.T) {
		for name, o := range operations {
			if strings.Contains(name, "/live") || strings.Contains(name, "/track/{token}") {
				continue
			}
			if content := fmt.Sprint(o["responses"]); !strings.Contains(content, "application/problem+json") {
				t.Errorf("%s has no application/problem+json: %s", name, content)
			}
		}
	})
}

func walk(v any, visit func(object)) {
	switch v := v.(type) {
	case object:
		visit(v)
		for _, inner := range v {
			walk(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}
