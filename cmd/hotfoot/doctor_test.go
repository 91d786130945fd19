package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

func TestDoctor(t *testing.T) {
	t.Parallel()
	redisURL := storetest.RedisURL(t)
	arguments := []string{
		"doctor", "--database-url", storetest.PostgresURL(t), "--redis-url", redisURL, "--secret", "W8JwPzvJm4xq0u1kFjX3Vb7sT5dYh2Lc",
		"--public-url", "https://track.example",
	}
	examine := func(more ...string) (code int, out, errs string) {
		var stdout, stderr bytes.Buffer
		code = run(t.Context(), append(arguments[:len(arguments):len(arguments)], more...), &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	if code, out, errs := examine(); code != 0 || !strings.Contains(out, "ok    schema") || !strings.Contains(out, "warn  workers") || !strings.HasSuffix(out, "0 bad\n") {
		t.Errorf("exit code %d of a deployment in which nothing is bad, %s:\n%s", code, errs, out)
	}
	options, err := redis.ParseURL(redisURL)
	must(t, err)
	client := redis.NewClient(options)
	defer client.Close()
	must(t, client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err())
	code, out, errs := examine()
	if code != 1 || !strings.Contains(out, "bad   redis settings") || !strings.Contains(errs, "1 of") {
		t.Errorf("exit code %d for a Redis that evicts, %s:\n%s", code, errs, out)
	}
	if _, out, _ = examine("--json"); !json.Valid([]byte(out)) || !strings.Contains(out, `"healthy": false`) {
		t.Errorf("as JSON: %s", out)
	}
	t.Run("what a store lacks does not hide what else is wrong", func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"doctor", "--database-url", "", "--redis-url", "", "--secret", "short"}, &stdout, &stderr)
		for _, says := range []string{"HOTFOOT_SECRET must have at least 32", "DATABASE_URL is not set", "REDIS_URL is not set"} {
			if !strings.Contains(stdout.String(), says) {
				t.Errorf("it does not say %q", says)
			}
		}
		if code != 1 {
			t.Errorf("exit code %d", code)
		}
	})
}
