package main

import (
	"fmt"
	"time"

	"hotfoot/tracking"
)

// linkFlags say how long tracking links work.
type linkFlags struct {
	LinkTTL time.Duration `help:"How long a tracking link still shows how its delivery ended, between 1m and 2160h." default:"168h" env:"HOTFOOT_LINK_TTL"`
}

func (f linkFlags) validate() error {
	if f.LinkTTL < tracking.MinLinkLife || f.LinkTTL > tracking.MaxLinkLife {
		return fmt.Errorf("HOTFOOT_LINK_TTL must be between %s and %s", tracking.MinLinkLife, tracking.MaxLinkLife)
	}
	return nil
}
