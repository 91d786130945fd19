package tracking

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestNewKey(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, role := range []Role{RoleMerchant, RoleOps, RoleCourier} {
		for range 100 {
			k, secret := NewKey(NewID(), role, ID{}, "l")
			if !LooksLikeSecret(secret) || !strings.HasPrefix(secret, "hf_"+string(role)+"_") || seen[secret] {
				t.Fatalf("secret %q", secret)
			}
			seen[secret] = true
			if k.Hash != HashSecret(secret) || k.Hint != secret[len(secret)-4:] || strings.Contains(fmt.Sprintf("%+v", k), secret[:40]) {
				t.Fatalf("key %+v", k)
			}
		}
	}
}

func TestLooksLikeSecret(t *testing.T) {
	t.Parallel()
	_, good := NewKey(NewID(), RoleOps, ID{}, "")
	for _, s := range []string{
		"", "hf_", "hf_ops_", good[1:], good[:len(good)-1], good + "A", strings.Replace(good, "ops", "system", 1), strings.Replace(good, "ops", "OPS", 1),
		good[:len(good)-1] + "+", "hf_ops_" + strings.Repeat("A", 42) + "\n", strings.ToUpper(good),
	} {
		if LooksLikeSecret(s) {
			t.Errorf("%q looks like one", s)
		}
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	e := Unavailable("Postgres", cause)
	for _, c := range []struct {
		err  error
		want Code
	}{{nil, ""}, {cause, CodeInternal}, {e, CodeUnavailable}, {fmt.Errorf("reading: %w", e), CodeUnavailable}, {errors.Join(cause, e), CodeUnavailable}} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
	if !errors.Is(e, cause) || strings.Contains(e.Message, "cause") || !strings.Contains(e.Error(), "cause") {
		t.Errorf("the cause belongs in the log and nowhere else: %q, %q", e.Message, e.Error())
	}
}
