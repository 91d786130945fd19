//go:build linux

package layer_test

import (
	"testing"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
