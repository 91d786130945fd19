package main

import (
	"strings"
	"testing"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t, 0, "keys", "create", "--merchant", "Corner Kitchen", "--label", "Kim")
	said := d.run(t, 0, "audit", "list")
	if lines := strings.Split(strings.TrimSpace(said), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "operator (") || !strings.Contains(lines[1], "insert  api_keys") {
		t.Errorf("list says %s", said)
	}
	if strings.Contains(said, "Kim") {
		t.Errorf("list tells a label: %s", said)
	}
	if said := d.run(t, 0, "audit", "verify"); !strings.HasPrefix(said, "0 entries from 0 on are what they were; 2 are waiting to be sealed\n") {
		t.Errorf("before any was sealed verify says %s", said)
	}
	_, head, err := d.SealEntries(t.Context(), 10)
	must(t, err)
	if said := d.run(t, 0, "audit", "verify", "--head", head.String()); said != "2 entries from 1 on are what they were; 0 are waiting to be sealed\nhead "+head.String()+"\n" {
		t.Errorf("verify says %s", said)
	}
	head.Hash[31]++
	if said := d.run(t, 1, "audit", "verify", "--head", head.String()); !strings.Contains(said, "entry 2 has another hash than was noted down") {
		t.Errorf("beside another head verify says %s", said)
	}
	for _, wrong := range []string{"x", "1", "1:", "0:" + strings.Repeat("00", 32), "1:" + strings.Repeat("00", 31), "1:" + strings.Repeat("0g", 32)} {
		if said := d.run(t, 1, "audit", "verify", "--head", wrong); !strings.Contains(said, "is not N:HASH") {
			t.Errorf("of %q verify says %s", wrong, said)
		}
	}
}
