package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestEpoch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if said := d.run(t, 0, "epoch", "show"); said != "1\n" {
		t.Errorf("said %q", said)
	}
	said := d.run(t, 0, "epoch", "bump")
	epoch, err := d.Epoch(t.Context())
	if err != nil || epoch <= 1 {
		t.Errorf("it is %d, %v", epoch, err)
	}
	if !strings.HasPrefix(said, fmt.Sprintf("1 → %d\n", epoch)) || !strings.Contains(said, "fresh snapshot") {
		t.Errorf("said %q", said)
	}
	if said := d.run(t, 0, "epoch", "show"); said != fmt.Sprintln(epoch) {
		t.Errorf("said %q", said)
	}
}
