package trackingtest

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"hotfoot/tracking"
)

// Guard finds what must stand in no log, metric or error: links and keys. A link is known by opening with the secret of those who issue it, so that any of
// theirs is found, whatever it is part of; a key by its form.
type Guard struct {
	secret string
	linker *tracking.Linker
}

// NewGuard guards the links that are sealed with a secret, and the secret.
func NewGuard(t testing.TB, secret string) *Guard {
	t.Helper()
	linker, err := tracking.NewLinker([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return &Guard{secret: secret, linker: linker}
}

const tokenSize = 44

var (
	maybeToken = regexp.MustCompile(fmt.Sprintf(`[A-Za-z0-9_-]{%d,}`, tokenSize))
	keyForm    = regexp.MustCompile(`hf_(merchant|ops|courier)_[A-Za-z0-9_-]{43}`)
)

// Found answers the secrets in a text.
func (g *Guard) Found(text string) []string {
	found := keyForm.FindAllString(text, -1)
	for _, run := range maybeToken.FindAllString(text, -1) {
		for i := range len(run) - tokenSize + 1 {
			if _, _, err := g.linker.Open(run[i : i+tokenSize]); err == nil {
				found = append(found, run[i:i+tokenSize])
			}
		}
	}
	if strings.Contains(text, g.secret) {
		found = append(found, g.secret)
	}
	return found
}

// Log passes what is written to a log on, and fails the test for each line with a secret. Nothing may be written once the test has ended.
func (g *Guard) Log(t testing.TB, to io.Writer) io.Writer { return &guardedLog{g, t, to} }

type guardedLog struct {
	guard *Guard
	t     testing.TB
	to    io.Writer
}

func (l *guardedLog) Write(line []byte) (int, error) {
	for _, secret := range l.guard.Found(string(line)) {
		l.t.Errorf("%s stands in the log: %s", secret, line)
	}
	return l.to.Write(line)
}
