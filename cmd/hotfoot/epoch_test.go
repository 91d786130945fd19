package main

import (
	"strings"
	"testing"
)

func TestEpoch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if said := d.run(t, 0, "epoch", "show"); said != "1\n" {
		t.Errorf("said %q", said)
	}
	if said := d.run(t, 0, "epoch", "bump"); !strings.HasPrefix(said, "1 → 2\n") || !strings.Contains(said, "fresh snapshot") {
		t.Errorf("said %q", said)
	}
	if epoch, err := d.Epoch(t.Context()); err != nil || epoch != 2 {
		t.Errorf("it is %d, %v", epoch, err)
	}
	if said := d.run(t, 0, "epoch", "show"); said != "2\n" {
		t.Errorf("said %q", said)
	}
}
