//go:build linux

package firstversion_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hotfoot/cmd/hotfoot/bench/firstversion"
	"hotfoot/cmd/hotfoot/bench/viewers"
	"hotfoot/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestServer_bringsAReportToItsViewerAndIntoPostgres(t *testing.T) {
	t.Parallel()
	server, err := firstversion.New(t.Context(), storetest.PostgresURL(t), storetest.RedisURL(t))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer stop()

	set, err := viewers.NewSet(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.Open(ctx, []viewers.Target{{Path: "/watch/sam"}, {Path: "/watch/kim"}}, 2); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	body := `{"positions":[{"courier_id":"sam","lat":37.000042,"lon":-122.4,"recorded_at":"2026-03-04T18:10:00Z"}]}`
	answer, err := client.Post("http://"+listener.Addr().String()+"/positions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
	var got []int
	set.Each = func(target int, message []byte, _ time.Time) {
		if n, ok := viewers.Stamp(message); ok && n == 42 && viewers.KindOf(message) == viewers.Position {
			got = append(got, target)
		}
	}
	if err := set.Run(ctx, func() bool { return len(got) > 0 }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != 0 {
		t.Errorf("the position came to %v, want to the one who watches sam", got)
	}
}
