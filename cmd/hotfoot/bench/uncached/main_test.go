//go:build linux

package uncached_test

import (
	"testing"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
