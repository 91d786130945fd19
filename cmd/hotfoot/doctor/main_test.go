package doctor

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	storetest.Main(m)
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// healthy is a deployment in which nothing is bad.
func healthy(t *testing.T) Patient {
	t.Helper()
	return Patient{
		DatabaseURL: storetest.PostgresURL(t), RedisURL: storetest.RedisURL(t), Secret: "W8JwPzvJm4xq0u1kFjX3Vb7sT5dYh2Lc", PublicURL: "https://track.example",
		Listen: "127.0.0.1:8080", BacklogMB: 64,
	}
}

// connect opens a client on a Redis that a test starts or is given.
func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	must(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// expect finds what a check says at a level. Every text must stand in what was found or in what to do.
func expect(t *testing.T, findings []Finding, check string, level Level, texts ...string) {
	t.Helper()
	for _, f := range findings {
		all := f.Check == check && f.Level == level
		for _, text := range texts {
			all = all && strings.Contains(f.Found+"\n"+f.Do, text)
		}
		if all {
			if level != OK && f.Do == "" {
				t.Errorf("%s does not say what to do: %+v", check, f)
			}
			return
		}
	}
	t.Errorf("no %s of %s with %q in:\n%s", level, check, texts, text(findings))
}

func text(findings []Finding) string {
	var out strings.Builder
	_ = Print(&out, findings, false)
	return out.String()
}
