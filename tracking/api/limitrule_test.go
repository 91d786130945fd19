package api

import (
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

func TestParseLimits(t *testing.T) {
	t.Parallel()
	t.Run("without a word the default ones apply", func(t *testing.T) {
		t.Parallel()
		rules, err := ParseLimits("")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range ruleNames {
			if rule, on := rules[name]; on != (name != ruleReads) || on && rule.Name != name {
				t.Errorf("%s: %+v", name, rule)
			}
		}
		if rules[ruleKeys].Place != LimitClosed || rules[ruleCouriers].Place != LimitOpen || rules[rulePositions].Place != LimitLocal {
			t.Errorf("got %+v", rules)
		}
	})
	t.Run("what is said replaces a default one, and leaves the others", func(t *testing.T) {
		t.Parallel()
		rules, err := ParseLimits(" writes=token_bucket:50/1s:burst=500:open , keys=off,reads=sliding_window:1000000/24h")
		if err != nil {
			t.Fatal(err)
		}
		want := LimitRule{tracking.LimitPolicy{Name: "writes", Kind: tracking.TokenBucket, Limit: 50, Period: time.Second, Burst: 500}, LimitOpen}
		if _, on := rules[ruleKeys]; on || rules[ruleWrites] != want || rules[ruleReads].Place != LimitLocal || rules[ruleReads].Period != 24*time.Hour || len(rules) != len(ruleNames)-1 {
			t.Errorf("got %+v", rules)
		}
	})
	t.Run("off is none", func(t *testing.T) {
		t.Parallel()
		if rules, err := ParseLimits(" off "); err != nil || len(rules) != 0 {
			t.Errorf("got %v, %v", rules, err)
		}
	})
	for name, c := range map[string]struct{ text, says string }{
		"a rule that there is not": {"write=off", `"write"`},
		"nothing to a name":        {"writes", "writes"},
		"only a kind":              {"writes=token_bucket", "must be like"},
		"a kind that is none":      {"writes=leaky:1/1s", "kind"},
		"no period":                {"writes=fixed_window:1", "period"},
		"no number":                {"writes=fixed_window:x/1s", "limit"},
		"a period that is none":    {"writes=fixed_window:1/second", `"second"`},
		"a period of nothing":      {"writes=fixed_window:1/0s", "period"},
		"a limit of nothing":       {"writes=fixed_window:0/1s", "limit"},
		"a limit without end":      {"writes=fixed_window:1000000000000000000/1s", "limit"},
		"a limit beyond numbers":   {"writes=fixed_window:99999999999999999999/1s", "limit"},
		"no burst":                 {"writes=token_bucket:1/1s:burst=", "burst"},
		"a burst of nothing":       {"writes=token_bucket:1/1s:burst=0", "burst"},
		"a burst of a window":      {"writes=fixed_window:1/1s:burst=2", "burst"},
		"an unknown option":        {"writes=fixed_window:1/1s:ajar", `"ajar"`},
		"off beside others":        {"off,writes=off", `"off"`},
		"positions over Redis":     {"positions=token_bucket:1/1s:open", "locally"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			if rules, err := ParseLimits(c.text); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q: %v, %v; want an error that names %s", c.text, rules, err, c.says)
			}
		})
	}
}

func FuzzParseLimits(f *testing.F) {
	for _, text := range []string{"", "off", DefaultLimits, "writes=token_bucket:1/1s:burst=5:open", "keys=off,", "a=b:c/d:e"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := ParseLimits(text)
		if err != nil {
			return
		}
		for name, rule := range rules {
			if err := rule.Validate(""); err != nil || rule.Name != name {
				t.Errorf("%q makes %+v: %v", text, rule, err)
			}
		}
	})
}
