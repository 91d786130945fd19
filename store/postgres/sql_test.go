package postgres_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
)

// constants are the package's text constants by name, read from its sources so that none can be forgotten.
func constants(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	must(t, err)
	expressions := map[string]ast.Expr{}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
				for i, name := range spec.Names {
					expressions[name.Name] = spec.Values[i]
				}
			}
			return true
		})
	}
	values := map[string]string{}
	for name, expression := range expressions {
		if text, err := valueOf(expression, expressions); err == nil {
			values[name] = text
		} else if strings.HasSuffix(name, "SQL") {
			t.Errorf("%s cannot be read: %v", name, err)
		}
	}
	return values
}

func valueOf(e ast.Expr, known map[string]ast.Expr) (string, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.Ident:
		if known[e.Name] == nil {
			return "", fmt.Errorf("%s is not a constant", e.Name)
		}
		return valueOf(known[e.Name], known)
	case *ast.BinaryExpr:
		left, err := valueOf(e.X, known)
		if err != nil {
			return "", err
		}
		right, err := valueOf(e.Y, known)
		return left + right, err
	}
	return "", fmt.Errorf("not a text")
}

func TestSQL(t *testing.T) {
	t.Parallel()
	all := constants(t)
	t.Run("every statement fits the schema", func(t *testing.T) {
		t.Parallel()
		conn, err := storetest.Postgres(t).Acquire(t.Context())
		must(t, err)
		defer conn.Release()
		count := 0
		for name, sql := range all {
			if strings.HasSuffix(name, "SQL") {
				count++
				if _, err := conn.Conn().Prepare(t.Context(), name, sql); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if count < 30 {
			t.Errorf("only %d statements were found", count)
		}
	})
	t.Run("the stops of a route are those of the domain", func(t *testing.T) {
		t.Parallel()
		for _, status := range tracking.Statuses {
			if listed := strings.Contains(all["onRoute"], "'"+string(status)+"'"); listed != status.OnRoute() {
				t.Errorf("%s is listed: %v, but OnRoute says %v", status, listed, status.OnRoute())
			}
		}
	})
	t.Run("who is under way is so by the domain", func(t *testing.T) {
		t.Parallel()
		for _, status := range tracking.Statuses {
			if listed := strings.Contains(all["underway"], "'"+string(status)+"'"); listed != status.Underway() {
				t.Errorf("%s is listed: %v, but Underway says %v", status, listed, status.Underway())
			}
		}
	})
	t.Run("the schema knows exactly the domain's words", func(t *testing.T) {
		t.Parallel()
		pool := storetest.Postgres(t)
		var statuses, vehicles, kinds []string
		for _, s := range tracking.Statuses {
			statuses = append(statuses, string(s))
		}
		for _, v := range tracking.Vehicles {
			vehicles = append(vehicles, string(v))
		}
		for _, k := range tracking.LimitKinds {
			kinds = append(kinds, string(k))
		}
		for constraint, want := range map[string][]string{
			"delivery_status_known": statuses, "event_status_known": statuses, "courier_vehicle_known": vehicles,
			"limit_kind_known":   kinds,
			"event_actor_known":  {"merchant", "ops", "courier", "system"},
			"api_key_role_known": {"merchant", "ops", "courier"},
		} {
			var definition string
			must(t, pool.QueryRow(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1`, constraint).Scan(&definition))
			var got []string
			for i, part := range strings.Split(definition, "'") {
				if i%2 == 1 {
					got = append(got, part)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s allows %v, want %v", constraint, got, want)
			}
		}
	})
}
