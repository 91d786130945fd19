package gateway_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{}) // tests kill servers, and the client says so again and again
	storetest.Main(m)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
