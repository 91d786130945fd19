package oidc

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseClaim(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Claim{
		"groups=dispatch": {"groups", "dispatch"}, "*": {}, "https://x.example/roles=a=b": {"https://x.example/roles", "a=b"}, "groups=*": {"groups", "*"},
	} {
		if got, err := ParseClaim(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "groups", "groups=", "=dispatch", "=", "**"} {
		if got, err := ParseClaim(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func claimsOf(t *testing.T, text string) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestClaim_in(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`{"groups":"dispatch"}`: true, `{"groups":["a","dispatch"]}`: true, `{"groups":["a",1,"dispatch"]}`: true,
		`{}`: false, `{"groups":null}`: false, `{"groups":true}`: false, `{"groups":""}`: false, `{"groups":[]}`: false, `{"groups":"Dispatch"}`: false,
		`{"groups":"dispatch "}`: false, `{"groups":"a dispatch"}`: false, `{"groups":[["dispatch"]]}`: false, `{"groups":{"dispatch":1}}`: false, `{"Groups":"dispatch"}`: false,
	} {
		if got := (Claim{"groups", "dispatch"}).in(claimsOf(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !(Claim{}).in(claimsOf(t, `{}`)) {
		t.Error("* keeps somebody out")
	}
}

func TestNameIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"sub":"1","preferred_username":"kim","email":"k@x.example","email_verified":true}`:   "k@x.example",
		`{"sub":"1","preferred_username":"kim","email":"k@x.example","email_verified":false}`:  "kim",
		`{"sub":"1","preferred_username":"kim","email":"k@x.example","email_verified":"true"}`: "kim",
		`{"sub":"1","preferred_username":"kim","email":"k@x.example"}`:                         "kim",
		`{"sub":"1","email":7,"email_verified":true,"preferred_username":["kim"]}`:             "1",
		`{"sub":"1","preferred_username":" \u0000\n "}`:                                        "1",
		`{"sub":"1","preferred_username":"a\r\nlevel=ERROR \u001b[31m\u202eb\u200b "}`:         "alevel=ERROR [31mb",
		`{"sub":"` + strings.Repeat("ü", 300) + `"}`:                                           strings.Repeat("ü", 200),
	} {
		if got := nameIn(claimsOf(t, text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
