package mutation

import (
	"time"

	"hotfoot/cmd/chaos/load"
)

// All are the mutations: one for each decision that the promises hang on.
var All = []Mutation{
	{
		Name: "entries leave the backlog before they are committed",
		Edits: []Edit{{
			"tracking/mover.go",
			"	marks, err := m.track.Store(storing, batches)\n",
			"	_ = m.backlog.Ack(ctx, entries)\n	marks, err := m.track.Store(storing, batches)\n",
		}},
		Row: "F1", Sign: Sign{"I1", "was accepted"},
	},
	{
		Name: "the backlog is trimmed to a length",
		Edits: []Edit{{
			"store/redisstore/position.lua",
			"call('XADD', KEYS[2], '*', 'b', batch)",
			"redis.call('XADD', KEYS[2], 'MAXLEN', 2, '*', 'b', batch)",
		}},
		Row: "F1", Sign: Sign{"I1", "was accepted"},
	},
	{
		Name: "a status is answered before its commit",
		Edits: []Edit{{
			"store/postgres/delivery.go",
			`		err := s.within(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
			records, err = change(ctx, tx, merchant, delivery, joining, clientEventID, decide)
			return err
		})
`,
			`		answer := make(chan error, 4)
		go func() {
			answer <- s.within(context.WithoutCancel(ctx), func(ctx context.Context, tx pgx.Tx) (err error) {
				records, err = change(ctx, tx, merchant, delivery, joining, clientEventID, decide)
				answer <- err
				_, _ = tx.Exec(ctx, "SELECT pg_sleep(0.1)")
				return err
			})
		}()
		err := translate(<-answer)
`,
		}},
		Row: "F1", Sign: Sign{"I1", "was acknowledged at"},
	},
	{
		Name: "a commit is answered before it is on disk",
		Edits: []Edit{
			{"store/postgres/connect.go", `params["synchronous_commit"] = "on"`, `params["synchronous_commit"] = "off"`},
			{
				"store/postgres/connect.go",
				`range []string{"fsync", "full_page_writes", "synchronous_commit"}`,
				`range []string{"fsync", "full_page_writes"}`,
			},
		},
		Row: "F1", Sign: Sign{"I1", "was acknowledged"},
	},
	{
		Name: "nothing makes a position unique",
		Edits: []Edit{{
			"migrations/0001_core.sql",
			"    PRIMARY KEY (courier_id, recorded_at, session, seq),\n",
			"",
		}},
		Row: "F21", Sign: Sign{"I1", "times"},
	},
	{
		Name: "durable_seq is the highest seq, not the highest without a hole before it",
		Edits: []Edit{{
			"store/postgres/session.go",
			"FROM unnest(position_sessions.seqs) r WHERE lower(r) <= 1)",
			"FROM unnest(position_sessions.seqs) r)",
		}},
		Row: "F21", Sign: Sign{"I1", "acknowledged as durable"},
	},
	{
		Name: "viewers are told of a position before it is kept",
		Edits: []Edit{{
			"store/redisstore/position.lua",
			"if not elsewhere then\n",
			"if newest > 0 then call(ARGV[12], KEYS[1], string.sub(batch, before + 54 * newest - 1, before + 54 * newest + 44) .. struct.pack('>f', -1)) end\n" +
				"if not elsewhere then\n",
		}},
		Row: "F10", Sign: Sign{"I4", "no such position"},
	},
	{
		Name: "the marker follows the newest report, not the newest fix",
		Edits: []Edit{
			{"store/redisstore/position.lua", "smooth = at > since and (not lat0 or reaches(metres, since, accuracy0, at, accuracy))", "smooth = at ~= since"},
			{"gateway/gate.go", "t.placed && !p.RecordedAt.After(t.newest.RecordedAt)", "t.placed && p.RecordedAt.Equal(t.newest.RecordedAt)"},
		},
		Row: "F22", Sign: Sign{"I3", "moves the marker"},
	},
	{
		Name: "the snapshot is read before the subscription is confirmed",
		Edits: []Edit{{
			"gateway/topic.go",
			"	t.hub.newcomers.add(t)\n",
			"	t.mu.Lock()\n	defer t.mu.Unlock()\n	t.setLive(true)\n	t.settles(1)\n",
		}},
		// What opens a link is held up on its way to the viewer, who then watches a delivery that moves on seldom.
		Row: "F0", Env: []string{"HOTFOOT_FAILPOINTS=Records.Record:after=delay 300ms"}, Size: load.Size{StepEvery: 4 * time.Second},
		Sign: Sign{Invariant: "calm"},
	},
	{
		Name: "a viewer who comes back is told everything again",
		Edits: []Edit{{
			"gateway/visit.go",
			"	v.outbox.event(t.snapshotFor(since), false)\n",
			"	v.outbox.event(t.snapshotFor(0), false)\n",
		}},
		Row: "F0", Sign: Sign{"I2", "again"},
	},
	{
		Name: "a viewer who comes back is told nothing of what they have missed",
		Edits: []Edit{{
			"gateway/visit.go",
			"	t.viewers = append(t.viewers, v)\n",
			"	if since > 0 {\n		since = t.record.Delivery.Ver\n	}\n	t.viewers = append(t.viewers, v)\n",
		}},
		Row: "F0", Sign: Sign{"I2", "a snapshot of ver"},
	},
	{
		Name: "the breaker never opens",
		Edits: []Edit{{
			"tracking/breaker.go",
			"if missing >= 2 && b.since.CompareAndSwap",
			"if missing < 0 && b.since.CompareAndSwap",
		}},
		Row: "F2", Sign: Sign{"row", "statuses are refused"},
	},
	{
		Name: "nobody sweeps up what was not announced",
		Edits: []Edit{{
			"tracking/relay.go",
			"r.bounded(ctx, r.sweepCouriers), r.bounded(ctx, r.sweep))",
			"r.bounded(ctx, r.sweepCouriers))",
		}},
		Row: "F16", Sign: Sign{"row", "viewers see"},
	},
	{
		Name: "viewers are not told that what they see may be old",
		Edits: []Edit{{
			"gateway/gate.go",
			"	if t.live == live {\n",
			"	if t.live == live || !live {\n",
		}},
		Row: "F8", Sign: Sign{"row", "live:false"},
	},
}
