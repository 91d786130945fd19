package trackingtest

import (
	"slices"
	"strings"
	"testing"

	"hotfoot/tracking"
)

func TestGuard_Found(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s", 32)
	g := NewGuard(t, secret)
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	link := linker.Token(tracking.NewID(), 3)
	_, key := tracking.NewKey(tracking.NewID(), tracking.RoleOps, tracking.ID{}, "")
	for text, want := range map[string][]string{
		"GET /v1/track/" + link + "/live":            {link},
		`{"path":"x_` + link + `-y"}`:                {link},
		"key=" + key + ".":                           {key},
		"HOTFOOT_SECRET=" + secret:                   {secret},
		"a\n" + link + "\n" + link[:43] + " " + key:  {key, link},
		link[:43] + " " + tracking.NewID().String():  nil,
		strings.Repeat("hotfoot_requests_total_", 5): nil,
		"": nil,
	} {
		if got := g.Found(text); !slices.Equal(got, want) {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}
