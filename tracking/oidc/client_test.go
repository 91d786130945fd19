package oidc

import "testing"

func TestCheckIssuer(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://login.example", "https://login.example/realms/kitchen", "http://127.0.0.1:8080", "http://[::1]/x", "http://localhost:5556/dex"} {
		if err := CheckIssuer(address); err != nil {
			t.Error(err)
		}
	}
	for _, address := range []string{
		"", "login.example", "http://login.example", "http://127.0.0.1.example", "http://localhost.example", "ftp://login.example", "https://", "https:login.example",
		"https://login.example?x=1", "https://login.example#x", "https://kim@login.example", "https://login.example\n", "javascript://login.example",
	} {
		if CheckIssuer(address) == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
