package storetest

import (
	"testing"

	"hotfoot/store/storetest/scratch"
)

// Dir makes a folder for private servers that a test starts itself, and removes it at the end.
func Dir(t testing.TB) string {
	t.Helper()
	return scratch.Dir(t)
}
