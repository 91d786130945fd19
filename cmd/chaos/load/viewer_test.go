package load

import (
	"context"
	"sync/atomic"
	"testing"

	"hotfoot/cmd/chaos/oracle"
)

const (
	snapshotText = `{"type":"snapshot","epoch":1,"ver":2,"status":"en_route","position":{"lat":1,"lon":2,"recorded_at":"2026-05-04T12:00:00.123Z"},"visible":true,` +
		`"events":[{"ver":1,"status":"created","at":"2026-05-04T12:00:00.000Z"},{"ver":2,"status":"en_route","at":"2026-05-04T12:00:00.000Z"}],"courier":{"name":"Sam"},"live":true}`
	statusText   = `{"type":"status","epoch":1,"ver":3,"status":"arriving","at":"2026-05-04T12:00:00.000Z"}`
	positionText = `{"type":"position","sv":3,"lat":1,"lon":2,"recorded_at":"2026-05-04T12:00:01.000Z","eta":null}`
)

func TestRead(t *testing.T) {
	t.Parallel()
	s := read([]byte(snapshotText))
	if s.Ver != 2 || s.Epoch != 1 || len(s.Events) != 2 || s.Events[1] != (oracle.Event{Ver: 2, Status: "en_route"}) || s.Courier != "Sam" ||
		!s.Live || !s.Visible || s.Position%1000 != 123 {
		t.Errorf("snapshot %+v", s)
	}
	if p := read([]byte(positionText)); p.SV != 3 || p.Position == 0 {
		t.Errorf("position %+v", p)
	}
	if b := read([]byte(`{"type":"bye","code":"restarting","retry_after_ms":1500}`)); b.Word != "restarting" || b.RetryAfter.Milliseconds() != 1500 {
		t.Errorf("bye %+v", b)
	}
	for _, unknown := range []string{`{"type":"weather"}`, `{`, `[]`} {
		if f := read([]byte(unknown)); f.Type != "" {
			t.Errorf("%s is read as %q", unknown, f.Type)
		}
	}
}

func TestViewer_take(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		frames []string
		want   verdict
		ver    int64
	}{
		"the next status":                   {[]string{snapshotText, statusText}, goOn, 3},
		"a status again":                    {[]string{snapshotText, statusText, statusText}, goOn, 3},
		"a hole":                            {[]string{snapshotText, `{"type":"status","epoch":1,"ver":4,"status":"delivered"}`}, resume, 2},
		"another epoch":                     {[]string{snapshotText, `{"type":"status","epoch":2,"ver":3,"status":"arriving"}`}, resume, 2},
		"a position that knows more":        {[]string{snapshotText, positionText}, resume, 2},
		"a position that knows as much":     {[]string{snapshotText, statusText, positionText}, goOn, 3},
		"a tick that knows more":            {[]string{snapshotText, `{"type":"tick","sv":3,"live":true}`}, resume, 2},
		"a farewell":                        {[]string{snapshotText, `{"type":"bye","code":"restarting"}`}, goAway, 2},
		"a type of the future":              {[]string{snapshotText, `{"type":"weather","sv":9}`}, goOn, 2},
		"a second snapshot replaces it all": {[]string{snapshotText, statusText, snapshotText}, goOn, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &viewer{log: (&oracle.Log{}).Viewer("v", "d")}
			var got verdict
			for _, text := range c.frames {
				got = v.take(read([]byte(text)))
			}
			if s := v.sight(); got != c.want || s.ver != c.ver {
				t.Errorf("verdict %d, ver %d; want %d, %d", got, s.ver, c.want, c.ver)
			}
		})
	}
	t.Run("who was sent away looks again once history was rewritten, and not before", func(t *testing.T) {
		t.Parallel()
		var epoch atomic.Int64
		v := &viewer{log: (&oracle.Log{}).Viewer("v", "d"), epoch: &epoch, state: sight{done: true, epoch: 1}}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if v.lookAgain(ctx) || !v.sight().done {
			t.Error("it looks again although nothing happened")
		}
		epoch.Store(2)
		if !v.lookAgain(t.Context()) || v.sight().done {
			t.Error("it does not look again")
		}
	})
	t.Run("live follows snapshots and ticks", func(t *testing.T) {
		t.Parallel()
		v := &viewer{log: (&oracle.Log{}).Viewer("v", "d")}
		v.take(read([]byte(snapshotText)))
		if !v.sight().live {
			t.Error("not live after the snapshot")
		}
		v.take(read([]byte(`{"type":"tick","sv":2,"live":false}`)))
		if v.sight().live {
			t.Error("live after a tick that denies it")
		}
	})
}
