package vitals

import (
	"math"
	"testing"
	"unicode/utf8"
)

const answer = "# Memory\r\nused_memory:1048576\r\nmem_fragmentation_ratio:1.25\r\nmaxmemory_policy:noeviction\r\n\r\n# Replication\r\nrole:master\r\n" +
	"connected_slaves:2\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=900,lag=1\r\nslave1:ip=fd00::3,port=6379,state=wait_bgsave,offset=0,lag=0\r\n" +
	"master_repl_offset:1000\r\nslave_expires_tracked_keys:7\r\n# Keyspace\r\ndb0:keys=40,expires=3,avg_ttl=0\r\ndb12:keys=2,expires=0,avg_ttl=0\r\n"

func TestDecode(t *testing.T) {
	t.Parallel()
	info := Decode(answer)
	t.Run("reads numbers, and does not make one of a word", func(t *testing.T) {
		t.Parallel()
		if n, ok := info.Number("mem_fragmentation_ratio"); !ok || n != 1.25 {
			t.Errorf("the ratio is %v, %v", n, ok)
		}
		for _, field := range []string{"maxmemory_policy", "nowhere", "# Memory"} {
			if n, ok := info.Number(field); ok {
				t.Errorf("%s is the number %v", field, n)
			}
		}
	})
	t.Run("tells the keys of one database from those of another", func(t *testing.T) {
		t.Parallel()
		for database, want := range map[int]float64{0: 40, 12: 2, 1: 0} {
			if n := info.Keys(database); n != want {
				t.Errorf("database %d has %v keys, want %v", database, n, want)
			}
		}
	})
	t.Run("says how far replicas are behind, and not that one which has just come lacks everything", func(t *testing.T) {
		t.Parallel()
		replicas := info.Replicas()
		if r := replicas["10.0.0.2:6379"]; !r.Online || r.Behind != 100 {
			t.Errorf("the first is %+v, want 100 bytes behind", r)
		}
		if r, ok := replicas["[fd00::3]:6379"]; !ok || r.Online || r.Behind != 0 {
			t.Errorf("the second is %+v, %v, want one that is not online yet", r, ok)
		}
		if len(replicas) != 2 {
			t.Errorf("there are %d: %v", len(replicas), replicas)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		answer, "", "a", ":", "#a:b", "db0:keys=1e999",
		"slave0:ip=\xff,port=,state=online,offset=NaN", "used_memory:nan\nmaxmemory:-0x1p-2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		info := Decode(text)
		for field := range info {
			if n, ok := info.Number(field); ok && (math.IsNaN(n) || math.IsInf(n, 0)) {
				t.Errorf("%q holds %v", field, n)
			}
		}
		for address, r := range info.Replicas() {
			if !utf8.ValidString(address) || r.Behind < 0 {
				t.Errorf("%q is %+v", address, r)
			}
		}
		_ = info.Keys(0)
	})
}
