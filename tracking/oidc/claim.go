package oidc

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Claim is what an ID token must carry for its holder to be let in. The zero Claim lets everybody in.
type Claim struct{ Name, Value string }

// ParseClaim reads name=value, or * for everybody.
func ParseClaim(text string) (Claim, error) {
	if text == "*" {
		return Claim{}, nil
	}
	name, value, _ := strings.Cut(text, "=")
	if name == "" || value == "" {
		return Claim{}, fmt.Errorf("%q is not a claim and its value, such as groups=dispatch; * lets in everybody who has an account", text)
	}
	return Claim{name, value}, nil
}

// in reports whether claims hold it: as a text, or in a list.
func (c Claim) in(claims map[string]any) bool {
	if c == (Claim{}) {
		return true
	}
	switch held := claims[c.Name].(type) {
	case string:
		return held == c.Value
	case []any:
		return slices.Contains(held, any(c.Value))
	}
	return false
}

// maxName is how much of a name is kept, in characters.
const maxName = 200

// nameIn is what whoever signed in is called: by an address that the provider vouches for, or else as they are known there.
func nameIn(claims map[string]any) string {
	if claims["email_verified"] == true {
		if name := cleaned(claims["email"]); name != "" {
			return name
		}
	}
	if name := cleaned(claims["preferred_username"]); name != "" {
		return name
	}
	return cleaned(claims["sub"])
}

// cleaned leaves what can be seen of a text: a name stands in lists and logs, and must not rewrite them.
func cleaned(claim any) string {
	text, _ := claim.(string)
	seen := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))))
	return strings.TrimSpace(string(seen[:min(len(seen), maxName)]))
}
