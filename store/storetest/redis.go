package storetest

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/private"
)

// Redis opens a client on a new, empty server.
func Redis(t testing.TB) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// RedisURL starts a new, empty server.
func RedisURL(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	server, err := private.StartRedis(ctx, private.Config{Dir: Dir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	return server.URL()
}
