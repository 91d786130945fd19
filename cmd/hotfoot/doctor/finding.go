package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Level says how much a finding matters.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, and will not always
	Bad  Level = "bad"  // something does not work, or what was acknowledged may be lost
)

// Finding is what one check came to.
type Finding struct {
	Check  string `json:"check"`
	Server string `json:"server,omitempty"` // of a cluster
	Level  Level  `json:"level"`
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // what to change: a command or a line of configuration
}

// chart collects findings.
type chart struct {
	server   string // whom the next findings are about
	secrets  []string
	findings []Finding
}

// hide has addresses, and the passwords in them, taken out of everything that is said from here on. Longer ones go first, so that none leaves a part
// of another.
func (c *chart) hide(addresses ...string) {
	c.secrets = append(c.secrets, secretsOf(addresses...)...)
	slices.SortFunc(c.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}

func (c *chart) ok(check, found string, args ...any) { c.add(check, OK, "", found, args) }

func (c *chart) warn(check, do, found string, args ...any) { c.add(check, Warn, do, found, args) }

func (c *chart) bad(check, do, found string, args ...any) { c.add(check, Bad, do, found, args) }

func (c *chart) add(check string, level Level, do, found string, args []any) {
	c.findings = append(c.findings, Finding{check, c.server, level, c.masked(fmt.Sprintf(found, args...)), c.masked(do)})
}

// masked takes secrets out of a text: errors of libraries may quote an address with its password.
func (c *chart) masked(text string) string {
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "•••")
	}
	return strings.Join(strings.Fields(text), " ")
}
