package postgres

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

func TestGuarded_heard(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		doubts bool
	}{
		"nothing is wrong":                 {t.Context(), nil, false},
		"a broken connection":              {t.Context(), io.ErrUnexpectedEOF, true},
		"a deadline":                       {t.Context(), context.DeadlineExceeded, true},
		"a server that is starting":        {t.Context(), &pgconn.PgError{Code: "57P03"}, true},
		"a server that is full":            {t.Context(), &pgconn.PgError{Code: "53300"}, false},
		"a slow statement that was ended":  {t.Context(), &pgconn.PgError{Code: "57014"}, false},
		"a broken rule":                    {t.Context(), &pgconn.PgError{Code: "23514"}, false},
		"no such row":                      {t.Context(), pgx.ErrNoRows, false},
		"a decision of ours":               {t.Context(), tracking.Errorf(tracking.CodeIllegalMove, "no"), false},
		"a caller who went away":           {cancelled, context.Canceled, false},
		"a caller whose going broke it":    {cancelled, io.ErrUnexpectedEOF, false},
		"a caller who went away, too late": {cancelled, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				breaker := tracking.NewBreaker("Postgres", func(context.Context) error {
					asked++
					return nil
				}, tracking.BreakerConfig{Every: time.Hour}, slog.New(slog.DiscardHandler))
				running, stop := context.WithCancel(context.Background())
				go func() { _ = breaker.Run(running) }()
				synctest.Wait()
				asked = 0
				g := &guarded{breaker: breaker}
				err := g.heard(c.ctx, c.err)
				synctest.Wait()
				if asked == 1 != c.doubts || asked > 1 {
					t.Errorf("the server was asked %d times", asked)
				}
				if c.err != nil && !errors.Is(err, c.err) || c.err == nil && err != c.ctx.Err() {
					t.Errorf("%v became %v", c.err, err)
				}
				stop()
				synctest.Wait()
			})
		})
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	fit := map[string]string{
		"server_version_num": "140000", "server_version": "14.0", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "local",
	}
	if err := judge(fit); err != nil {
		t.Errorf("a fit server is refused: %v", err)
	}
	for _, c := range []struct {
		name, value string
		want        error
		says        string
	}{
		{"server_version_num", "130021", ErrTooOld, "use 14 or newer"},
		{"fsync", "off", ErrUnsafe, "set fsync=on"},
		{"full_page_writes", "off", ErrUnsafe, "set full_page_writes=on"},
		{"synchronous_commit", "off", ErrUnsafe, "set synchronous_commit=on"},
	} {
		settings := map[string]string{}
		for name, value := range fit {
			settings[name] = value
		}
		settings[c.name] = c.value
		if err := judge(settings); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%s: got %v", c.name, c.value, err)
		}
	}
}

func TestUpTo(t *testing.T) {
	t.Parallel()
	events := []tracking.Event{{Ver: 3}, {Ver: 4}, {Ver: 5}}
	for ver, want := range map[int64]int{2: 0, 3: 1, 4: 2, 5: 3, 6: 3} {
		if got := upTo(ver, events); len(got) != want {
			t.Errorf("up to %d: %+v", ver, got)
		}
	}
}
