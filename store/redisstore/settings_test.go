package redisstore_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"hotfoot/store/redisstore"
	"hotfoot/store/storetest"
)

func TestCheckSettings(t *testing.T) {
	t.Parallel()
	t.Run("names what is unsafe", func(t *testing.T) {
		t.Parallel()
		client := storetest.Redis(t)
		must(t, redisstore.CheckSettings(t.Context(), client))
		for name, value := range map[string]string{"maxmemory-policy": "allkeys-lru", "appendonly": "no"} {
			before := client.ConfigGet(t.Context(), name).Val()[name]
			must(t, client.ConfigSet(t.Context(), name, value).Err())
			if err := redisstore.CheckSettings(t.Context(), client); !errors.Is(err, redisstore.ErrUnsafe) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %s: %v, want an error that names it", name, value, err)
			}
			must(t, client.ConfigSet(t.Context(), name, before).Err())
		}
	})
	t.Run("refuses what is older than 7.0, and knows Valkey", func(t *testing.T) {
		t.Parallel()
		url := storetest.RedisURL(t)
		old := newHotAt(t, disguised(t, url, "redis_version:7", "redis_version:6"), redisstore.Config{})
		if err := redisstore.CheckSettings(t.Context(), old.client); !errors.Is(err, redisstore.ErrUnsafe) || !strings.Contains(err.Error(), "version 6.") {
			t.Errorf("got %v, want that it is version 6", err)
		}
		valkey := newHotAt(t, disguised(t, url, "redis_version:7", "redis_version:6", "redis_git_sha1", "valkey_version"), redisstore.Config{})
		must(t, redisstore.CheckSettings(t.Context(), valkey.client))
	})
	t.Run("tells a server that cannot be asked from one that is unsafe", func(t *testing.T) {
		t.Parallel()
		without := newHotAt(t, away, redisstore.Config{})
		if err := redisstore.CheckSettings(t.Context(), without.client); err == nil || errors.Is(err, redisstore.ErrUnsafe) {
			t.Errorf("got %v", err)
		}
	})
}

// disguised stands before a server and replaces pairs of words, of one length each, in what it says.
func disguised(t *testing.T, url string, words ...string) string {
	t.Helper()
	socket, _, _ := strings.Cut(strings.TrimPrefix(url, "unix://"), "?")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				server, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				defer server.Close()
				serving.Go(func() { _, _ = io.Copy(server, conn); _ = server.Close() })
				said := make([]byte, 64<<10)
				for {
					n, err := server.Read(said)
					if err != nil {
						return
					}
					out := said[:n]
					for i := 0; i < len(words); i += 2 {
						out = bytes.ReplaceAll(out, []byte(words[i]), []byte(words[i+1]))
					}
					if _, err := conn.Write(out); err != nil {
						return
					}
				}
			})
		}
	})
	return "redis://" + listener.Addr().String()
}
