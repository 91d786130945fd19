package tracking

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLimitPolicy_Validate(t *testing.T) {
	t.Parallel()
	valid := LimitPolicy{Name: "writes", Kind: TokenBucket, Limit: 10, Period: time.Second, Burst: 20}
	for name, c := range map[string]struct {
		change func(*LimitPolicy)
		field  string // "" for valid
	}{
		"as it is":                    {func(*LimitPolicy) {}, ""},
		"without a name":              {func(p *LimitPolicy) { p.Name = "" }, ""},
		"a name of 65":                {func(p *LimitPolicy) { p.Name = strings.Repeat("x", 65) }, "policy.name"},
		"no kind":                     {func(p *LimitPolicy) { p.Kind = "" }, "policy.kind"},
		"a kind that is none":         {func(p *LimitPolicy) { p.Kind = "leaky" }, "policy.kind"},
		"nothing":                     {func(p *LimitPolicy) { p.Limit = 0 }, "policy.limit"},
		"less than nothing":           {func(p *LimitPolicy) { p.Limit = -1 }, "policy.limit"},
		"a limit without end":         {func(p *LimitPolicy) { p.Limit = 1e18 }, "policy.limit"},
		"the lowest limit":            {func(p *LimitPolicy) { p.Limit = math.MinInt64 }, "policy.limit"},
		"no period":                   {func(p *LimitPolicy) { p.Period = 0 }, "policy.period"},
		"a period that ends first":    {func(p *LimitPolicy) { p.Period = -time.Second }, "policy.period"},
		"a period of half a ms":       {func(p *LimitPolicy) { p.Period = 1500 * time.Microsecond }, "policy.period"},
		"a period of 32 days":         {func(p *LimitPolicy) { p.Period = 32 * 24 * time.Hour }, "policy.period"},
		"a negative burst":            {func(p *LimitPolicy) { p.Burst = -1 }, "policy.burst"},
		"a burst without end":         {func(p *LimitPolicy) { p.Burst = math.MaxInt64 }, "policy.burst"},
		"a window with a burst":       {func(p *LimitPolicy) { p.Kind = FixedWindow }, "policy.burst"},
		"a bucket faster than it can": {func(p *LimitPolicy) { p.Limit = 10_001 }, "policy.limit"},
		"a bucket as fast as it can":  {func(p *LimitPolicy) { p.Limit = 10_000 }, ""},
		"a burst of two years":        {func(p *LimitPolicy) { p.Limit, p.Period, p.Burst = 1, 31*24*time.Hour, 24 }, "policy.burst"},
		"a window as large as may be": {func(p *LimitPolicy) { *p = LimitPolicy{Kind: SlidingWindow, Limit: MaxLimit, Period: MaxLimitPeriod} }, ""},
	} {
		p := valid
		c.change(&p)
		err := p.Validate("policy.")
		if c.field == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		known, ok := err.(*Error)
		if !ok || known.Code != CodeInvalid || len(known.Fields) != 1 || known.Fields[0].Path != c.field {
			t.Errorf("%s: %v, want that %s is invalid", name, err, c.field)
		}
	}
}

// drawn is a valid policy with small numbers, so that a test meets its edges.
var drawn = rapid.Custom(func(t *rapid.T) LimitPolicy {
	p := LimitPolicy{
		Kind: rapid.SampledFrom(LimitKinds).Draw(t, "kind"), Limit: rapid.Int64Range(1, 12).Draw(t, "limit"),
		Period: time.Duration(rapid.Int64Range(2, 50).Draw(t, "period")) * time.Millisecond,
	}
	if p.Kind == TokenBucket {
		p.Burst = rapid.Int64Range(0, 15).Draw(t, "burst")
	}
	return p
})

// Whatever was taken when: what a decision says is true to the microsecond.
func TestLimitState_Take(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, now := drawn.Draw(t, "policy"), time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC).UnixMicro()
		var s LimitState
		for range rapid.IntRange(1, 30).Draw(t, "takes") {
			now += rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 2*p.Period.Microseconds())).Draw(t, "pause")
			cost := rapid.Int64Range(1, p.Quota()).Draw(t, "cost")
			before := s
			var d Decision
			s, d = s.Take(p, now, cost)
			if d.Limit != p.Quota() || d.Remaining < 0 || d.Remaining > d.Limit || d.Reset < 0 || d.Reset > 2*p.Window() {
				t.Fatalf("%+v: %+v", p, d)
			}
			if d.Allowed == (d.RetryAfter > 0) || !d.Allowed && s != before {
				t.Fatalf("%+v: %+v, and from %+v it is %+v", p, d, before, s)
			}
			if d.Remaining > 0 {
				if _, more := s.Take(p, now, d.Remaining); !more.Allowed {
					t.Fatalf("%d remain, but cannot be had: %+v", d.Remaining, more)
				}
			}
			if d.Remaining < d.Limit {
				if _, more := s.Take(p, now, d.Remaining+1); more.Allowed {
					t.Fatalf("%d remain, but more can be had: %+v", d.Remaining, more)
				}
			}
			if _, full := s.Take(p, now+d.Reset.Microseconds(), p.Quota()); !full.Allowed {
				t.Fatalf("it is not all there again at the reset, from %+v after %v: %+v", s, d.Reset, full)
			}
			if !d.Allowed {
				later := now + d.RetryAfter.Microseconds()
				if _, again := s.Take(p, later, cost); !again.Allowed {
					t.Fatalf("it cannot be had after %v: %+v", d.RetryAfter, again)
				}
				// Windows go by whole milliseconds.
				if _, early := s.Take(p, later-1000-1, cost); later-1001 >= now && early.Allowed {
					t.Fatalf("it can be had before %v", d.RetryAfter)
				}
			}
		}
	})
}

// What a policy is for: how much is allowed over any time.
func TestLimitState_bounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, now := drawn.Draw(t, "policy"), int64(1_700_000_000_000_000)
		type taken struct{ at, cost int64 }
		var all []taken
		var s LimitState
		for range rapid.IntRange(1, 60).Draw(t, "takes") {
			now += rapid.Int64Range(0, p.Period.Microseconds()/2).Draw(t, "pause")
			cost := rapid.Int64Range(1, p.Quota()).Draw(t, "cost")
			var d Decision
			if s, d = s.Take(p, now, cost); d.Allowed {
				all = append(all, taken{now, cost})
			}
		}
		for i := range all {
			sum := int64(0)
			for _, one := range all[i:] {
				sum += one.cost
				span := one.at - all[i].at
				switch p.Kind {
				case TokenBucket:
					if most := p.Quota() + span/p.Interval() + 1; sum > most {
						t.Fatalf("%+v: %d in %dµs, want at most %d", p, sum, span, most)
					}
				default:
					// Twice around the end of a window; of a sliding one only where requests are spread as unevenly as can be.
					if most := 2 * p.Limit; span < p.Period.Microseconds()-1000 && sum > most {
						t.Fatalf("%+v: %d in %dµs, want at most %d", p, sum, span, most)
					}
				}
			}
		}
	})
}

// Requests that come evenly get what a sliding window says, also around the end of one: that is what it has over a fixed window.
func TestLimitState_sliding_is_smooth(t *testing.T) {
	t.Parallel()
	allowed := func(kind LimitKind) (most int64) {
		p := LimitPolicy{Kind: kind, Limit: 100, Period: time.Second}
		var s LimitState
		var times []int64
		// Nothing but one for most of a window, and then 1000 a second.
		start := int64(1_700_000_000_000_000)
		s, _ = s.Take(p, start, 1)
		for now := start + 900_000; now < start+3_000_000; now += 1000 {
			var d Decision
			if s, d = s.Take(p, now, 1); d.Allowed {
				times = append(times, now)
			}
		}
		for i := range times {
			n := int64(0)
			for _, at := range times[i:] {
				if at < times[i]+1_000_000 {
					n++
				}
			}
			most = max(most, n)
		}
		return most
	}
	if fixed, sliding := allowed(FixedWindow), allowed(SlidingWindow); fixed < 190 || sliding > 190 || sliding >= fixed {
		t.Errorf("within a second a fixed window allows up to %d and a sliding one %d", fixed, sliding)
	}
}

func TestNewLimitSubject(t *testing.T) {
	t.Parallel()
	p := LimitPolicy{Name: "a", Kind: TokenBucket, Limit: 1, Period: time.Second}
	t.Run("no two lists of parts are one subject, whatever characters they have", func(t *testing.T) {
		t.Parallel()
		seen := map[LimitSubject]string{}
		for _, parts := range [][]string{
			{},
			{""},
			{"", ""},
			{"a"},
			{"a", ""},
			{"", "a"},
			{"ab"},
			{"a", "b"},
			{"a\x00b"},
			{"a:b"},
			{"{p0}:limit:a"},
			{"{", "}"},
			{"{}"},
			{"\x01a"},
			{"\x01", "a"},
			{"a\n"},
			{"é"},
			{"e\u0301"},
			{strings.Repeat("x", 127)},
			{strings.Repeat("x", 128)},
			{strings.Repeat("x", 100_000)},
		} {
			s := NewLimitSubject(p, parts...)
			if other, taken := seen[s]; taken {
				t.Errorf("%q and %s are one", parts, other)
			}
			seen[s] = fmt.Sprintf("%q", parts)
		}
	})
	t.Run("another policy is another subject", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*LimitPolicy){
			"name": func(p *LimitPolicy) { p.Name = "b" }, "kind": func(p *LimitPolicy) { p.Kind = FixedWindow },
			"limit": func(p *LimitPolicy) { p.Limit = 2 }, "period": func(p *LimitPolicy) { p.Period = time.Minute }, "burst": func(p *LimitPolicy) { p.Burst = 7 },
		} {
			other := p
			if change(&other); NewLimitSubject(p, "x") == NewLimitSubject(other, "x") {
				t.Errorf("with another %s it is the same", name)
			}
		}
	})
}
