package main

import "time"

func init() {
	add(Scenario{
		ID: "F8", Name: "Redis killed, back with its append-only file",
		Why: "Statuses and positions go on through Postgres, viewers are told live:false, and nothing that was acknowledged is lost.",
		Run: redisKilled,
	})
}

func redisKilled(r *Run) {
	r.Repeat(2, 20, func(int) {
		var back time.Time
		r.Fault(func() {
			r.Redis.Kill()
			redisAway(r, r.Pick(2*time.Second, 10*time.Second))
			back = time.Now()
			r.Redis.Restart()
		})
		expectServedWithoutRedis(r, back)
		expectAcceptedStored(r)
	})
	r.Fault(func() {
		// Again and again, often before anybody has noticed that it was back.
		kills := 3
		if r.Long {
			kills = 20
		}
		for range kills {
			r.Redis.Kill()
			r.Wait(time.Duration(r.Rand.Int64N(int64(300 * time.Millisecond))))
			r.Redis.Restart()
			r.Wait(time.Duration(r.Rand.Int64N(int64(300 * time.Millisecond))))
		}
	})
	expectAcceptedStored(r)
}

// darkWithin is how soon every viewer must be told that what they see may be old.
const darkWithin = 2 * time.Second

// redisAway lets the absence of Redis last, and expects that viewers are told.
func redisAway(r *Run, d time.Duration) {
	began := time.Now()
	r.Until("viewers are told live:false while Redis is away", darkWithin, func() bool { return r.Sight().Live == 0 })
	if rest := d - time.Since(began); rest > 0 {
		r.Wait(rest)
	}
}

// settledWithin is how long nodes may take to notice that Redis is gone.
const settledWithin = time.Second

// expectServedWithoutRedis expects that couriers hardly noticed until it was back.
func expectServedWithoutRedis(r *Run, back time.Time) {
	for kind, answers := range map[string]Answers{"statuses": r.StatusAnswers(), "positions": r.PositionAnswers()} {
		answers = answers.by(back)
		late := r.After(answers, settledWithin)
		r.Expect(len(late) > 0 && len(late.With(200)) == len(late), "%s are answered 200 without Redis; answers were %v", kind, late.Codes())
		r.Expect(answers.Slowest() < 2*time.Second, "%s are answered quickly without Redis; the slowest took %v", kind, answers.Slowest())
	}
}
