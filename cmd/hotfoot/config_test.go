package main

import (
	"strings"
	"testing"

	"hotfoot/tracking"
)

// validFlags are those of an api node.
func validFlags() nodeFlags {
	return nodeFlags{
		storeFlags: storeFlags{DatabaseURL: "postgres://x", RedisURL: "redis://x"}, Secret: strings.Repeat("x", 32), Roles: []string{roleAPI}, BacklogMB: 1,
		MaxSpeedMPS: 70, SocketsPerAddress: 1, SocketsPerKey: 1, linkFlags: linkFlags{LinkTTL: tracking.LinkLife},
	}
}

func TestNodeFlags(t *testing.T) {
	t.Parallel()
	must(t, validFlags().validate())
	for name, spoil := range map[string]func(*nodeFlags){
		"HOTFOOT_MAX_SPEED_MPS": func(f *nodeFlags) { f.MaxSpeedMPS = 0 }, "HOTFOOT_SOCKETS_PER_ADDRESS": func(f *nodeFlags) { f.SocketsPerAddress = 0 },
		"HOTFOOT_SOCKETS_PER_KEY": func(f *nodeFlags) { f.SocketsPerKey = -1 }, "HOTFOOT_LINK_TTL": func(f *nodeFlags) { f.KeepDeliveries, f.LinkTTL = 8, tracking.MaxLinkLife },
	} {
		f := validFlags()
		if spoil(&f); f.validate() == nil || !strings.Contains(f.validate().Error(), name) {
			t.Errorf("%s: %v", name, f.validate())
		}
	}
}
