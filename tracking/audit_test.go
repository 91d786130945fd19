package tracking

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What has been sealed must be found unaltered by every later release. The hashes were computed apart from this code, from what Seal says of itself.
func TestAuditEntry_Seal(t *testing.T) {
	t.Parallel()
	e := AuditEntry{
		ID: 7, At: time.UnixMicro(1_700_000_000_123_456), MerchantID: ID{15: 1}, By: Author{Kind: RoleOps, ID: ID{15: 2}}, DBRole: "hotfoot",
		Action: "update", Subject: "api_keys", SubjectID: "3", Changes: `{"role": ["ops", "merchant"]}`,
	}
	first := e.Seal(1, [32]byte{})
	second := e.Seal(2, first)
	for i, c := range []struct {
		got  [32]byte
		want string
	}{
		{first, "b210a1e68e4f1db449f0dc1bc7583028a227d84fcc677e3cc7838144b04afcbc"},
		{second, "6ece03d7a25d8c636bd88bb6a459431cb698ed02df49bbc35e06d83ead0dac7b"},
	} {
		if got := hex.EncodeToString(c.got[:]); got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
	}
	// A letter that moves from one field to the next is another entry.
	moved := e
	moved.Action, moved.Subject = "updat", "eapi_keys"
	if moved.Seal(1, [32]byte{}) == first {
		t.Error("fields run into each other")
	}
}

// entries are so many that are there to be sealed, and a place for what is said meanwhile.
type entries struct {
	mu           sync.Mutex
	open, sealed int
	err          error
	said         strings.Builder
}

func (e *entries) SealEntries(_ context.Context, limit int) (int, AuditHead, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return 0, AuditHead{}, e.err
	}
	n := min(limit, e.open)
	e.open -= n
	e.sealed += n
	return n, AuditHead{N: int64(e.sealed)}, nil
}

func (e *entries) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.said.Write(b)
}

func (e *entries) add(n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open, e.err = e.open+n, err
}

func (e *entries) state(text string) (sealed, said int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sealed, strings.Count(e.said.String(), text)
}

func TestAuditor_Run(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &entries{open: 1200}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- NewAuditor(e, AuditorConfig{}, slog.New(slog.NewTextHandler(e, nil))).Run(ctx)
		}()
		after := func(d time.Duration) {
			time.Sleep(d) // in the bubble's time, which passes when all of them wait
			synctest.Wait()
		}
		after(1500 * time.Millisecond)
		if sealed, _ := e.state(""); sealed != 1200 {
			t.Errorf("after a look it has sealed %d", sealed)
		}
		after(2 * time.Hour)
		if _, told := e.state("head=1200:000"); told != 1 {
			t.Errorf("in two hours without a change it told %d times where it ends", told)
		}
		e.add(1, errors.New("away"))
		after(time.Minute)
		if _, told := e.state("waits for Postgres"); told != 1 {
			t.Errorf("while Postgres was away it said so %d times", told)
		}
		e.add(0, nil)
		after(2 * time.Second)
		if sealed, _ := e.state(""); sealed != 1201 {
			t.Errorf("after that it has sealed %d", sealed)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
