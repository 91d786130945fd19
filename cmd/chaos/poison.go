package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

func init() {
	add(Scenario{
		ID: "F25", Name: "poison in the backlog",
		Why: "What can never be stored is put aside with its reason and holds nobody up, and what can be after a repair is stored by an operator's command.",
		Run: poison,
	})
}

// buriedWithin is how long workers may take to put all of it aside: what breaks no rule that we know is tried three times.
const buriedWithin = 10 * time.Second

// cannotBe is an altitude that the database refuses until it is repaired.
const cannotBe = 4242

func poison(r *Run) {
	r.Postgres.Exec(r.Context(), "ALTER TABLE positions ADD CONSTRAINT position_poison CHECK (altitude_m <> 4242) NOT VALID")
	put, curable := 0, 0
	r.Repeat(2, 30, func(int) {
		r.Fault(func() {
			for _, p := range partitionsInUse(r) {
				for what, values := range r.doses() {
					if err := r.Redis.Client.XAdd(r.ctx, &redis.XAddArgs{Stream: key.Positions(p), Values: values}).Err(); err != nil {
						r.fail(err)
					}
					if put++; what == "curable" {
						curable++
					}
				}
			}
			r.Until("all poison is put aside", buriedWithin, func() bool { return r.count("SELECT count(*) FROM dead_letters") == put })
		})
	})
	r.Expect(int(r.Metric("hotfoot_history_buried_total", r.API...)) >= put, "burials are counted")
	r.Expect(r.count("SELECT count(*) FROM dead_letters WHERE reason = ''") == 0, "each dead letter has its reason")
	listed := strings.Split(r.Hotfoot(r.Context(), "deadletters", "list"), "\n")
	r.Expect(len(listed) == put+1, "hotfoot deadletters list shows %d dead letters; there are %d", len(listed)-1, put)
	r.cure(listed, curable)
	r.tell("%d entries were put aside, %d of them stored after the repair", put, curable)
}

// cure repairs the database and stores what it had refused.
func (r *Run) cure(listed []string, curable int) {
	r.Postgres.Exec(r.Context(), "ALTER TABLE positions DROP CONSTRAINT position_poison")
	args := []string{"deadletters", "retry"}
	for _, line := range listed {
		if strings.Contains(line, "position_poison") {
			id, _, _ := strings.Cut(line, " ")
			args = append(args, id)
		}
	}
	r.Expect(len(args)-2 == curable, "the list shows which %d dead letters broke the rule; it shows %d", curable, len(args)-2)
	before := r.count("SELECT count(*) FROM dead_letters")
	r.Hotfoot(r.Context(), args...)
	stored, left := r.count("SELECT count(*) FROM positions WHERE altitude_m = 4242"), r.count("SELECT count(*) FROM dead_letters")
	r.Expect(stored == curable && left == before-curable, "after the repair %d are stored, and %d of %d dead letters are left; %d could be cured",
		stored, left, before, curable)
}

// count asks Postgres for a number.
func (r *Run) count(query string) (n int) {
	if err := r.Postgres.Pool.QueryRow(r.ctx, query).Scan(&n); err != nil {
		r.fail(err)
	}
	return n
}

// partitionsInUse are two partitions whose couriers report all the time.
func partitionsInUse(r *Run) []int {
	var ids []string
	if err := r.Postgres.Pool.QueryRow(r.ctx, "SELECT array_agg(id::text ORDER BY id) FROM couriers").Scan(&ids); err != nil {
		r.fail(err)
	}
	r.Rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var partitions []int
	for _, text := range ids[:2] {
		id, err := tracking.ParseID(text)
		if err != nil {
			r.fail(err)
		}
		partitions = append(partitions, key.Partition(id))
	}
	return partitions
}

// doses are entries that no worker can store, each for a reason of its own.
func (r *Run) doses() map[string]map[string]any {
	batch := func(session string, altitude float64) []byte {
		fix := tracking.Fix{Seq: 1, Position: tracking.Position{RecordedAt: time.Now().UTC(), Lat: 37.77, Lon: -122.42, AltitudeM: tracking.Read(altitude)}}
		return wire.AppendBatch(nil, tracking.Batch{CourierID: tracking.NewID(), Session: session, ReceivedAt: time.Now(), Fixes: []tracking.Fix{fix}})
	}
	garbage := make([]byte, 200)
	for i := range garbage {
		garbage[i] = byte(r.Rand.Uint32())
	}
	unknown := batch("s", 1)
	unknown[0] = 99
	// The only 37.77 in it is the latitude.
	offEarth := bytes.Replace(batch("s", 1), binary.BigEndian.AppendUint64(nil, math.Float64bits(37.77)), binary.BigEndian.AppendUint64(nil, math.Float64bits(91)), 1)
	return map[string]map[string]any{
		"garbage":         {"b": garbage},
		"nothing":         {"b": ""},
		"not ours":        {"weather": "fine"},
		"huge":            {"b": bytes.Repeat([]byte{1}, 1<<20)},
		"unknown version": {"b": unknown},
		"off the earth":   {"b": offEarth},
		"cut short":       {"b": batch("s", 1)[:40]},
		"a NUL":           {"b": batch("a\x00b", 1)},
		"curable":         {"b": batch("s", cannotBe)},
	}
}
