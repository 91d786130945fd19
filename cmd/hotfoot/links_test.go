package main

import (
	"testing"
	"time"
)

func TestLinkFlags_validate(t *testing.T) {
	t.Parallel()
	for life, fits := range map[time.Duration]bool{
		-time.Hour: false, 0: false, time.Minute - 1: false, time.Minute: true, 168 * time.Hour: true, 2160 * time.Hour: true, 2160*time.Hour + 1: false,
	} {
		if err := (linkFlags{LinkTTL: life}).validate(); (err == nil) != fits {
			t.Errorf("%s: %v", life, err)
		}
	}
}
