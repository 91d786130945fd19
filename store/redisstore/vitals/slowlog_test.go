package vitals

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func entry(id int64, took time.Duration, arguments ...string) redis.SlowLog {
	return redis.SlowLog{ID: id, Duration: took, Args: arguments}
}

func TestSlowLog(t *testing.T) {
	t.Parallel()
	t.Run("counts what came between two looks, more than it can read, and names the worst of what it read", func(t *testing.T) {
		t.Parallel()
		var s slowLog
		s.see([]redis.SlowLog{entry(5, time.Hour, "KEYS", "*")})
		if s.total != 0 || s.worst != (slow{}) {
			t.Errorf("what came before the first look counts: %+v", s)
		}
		s.see([]redis.SlowLog{entry(105, time.Second, "EVALSHA", "secret"), entry(104, 2*time.Second, "HGETALL", "secret"), entry(5, time.Hour, "KEYS")})
		if s.total != 100 || s.worst != (slow{"hgetall", 2 * time.Second}) {
			t.Errorf("got %+v, want 100 and hgetall", s)
		}
		s.see([]redis.SlowLog{entry(105, time.Second, "EVALSHA")})
		if s.total != 100 || s.worst != (slow{}) {
			t.Errorf("nothing came, but it says %+v", s)
		}
	})
	t.Run("an empty log is none that begins anew, and one that does begins at zero", func(t *testing.T) {
		t.Parallel()
		var s slowLog
		s.see([]redis.SlowLog{entry(9, 1, "get")})
		s.see(nil)
		s.see([]redis.SlowLog{entry(10, 1, "get")})
		if s.total != 1 {
			t.Errorf("after SLOWLOG RESET: %+v, want 1", s)
		}
		s.see([]redis.SlowLog{entry(1, 1, "get"), entry(0, 3, "set")})
		if s.total != 3 || s.worst.command != "set" {
			t.Errorf("after a restart: %+v, want 3 and set", s)
		}
	})
	t.Run("a name is a word, and nothing that somebody else chose", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]string{
			"XREADGROUP": "xreadgroup", "restore-asking": "restore-asking", "": "other", "get 018f3c": "other", "{p1}:delivery:1": "other", "\xff": "other",
			"abcdefghijklmnopqrstuvwxyz": "other",
		} {
			if got := nameOf([]string{name, "secret"}); got != want {
				t.Errorf("%q is %q, want %q", name, got, want)
			}
		}
		if got := nameOf(nil); got != "other" {
			t.Errorf("no arguments are %q", got)
		}
	})
}

func TestSpikes(t *testing.T) {
	t.Parallel()
	var s spikes
	at := time.Unix(1000, 0)
	s.see([]redis.Latency{{Name: "command", Time: at, Latest: time.Second}})
	if s.recent["command"] != 0 {
		t.Errorf("a spike from before the first look is %v", s.recent)
	}
	s.see([]redis.Latency{{Name: "command", Time: at.Add(time.Second), Latest: 2 * time.Second}, {Name: "aof-write", Time: at, Latest: time.Second}})
	if s.recent["command"] != 2*time.Second || s.recent["aof-write"] != time.Second {
		t.Errorf("new spikes are %v", s.recent)
	}
	s.see([]redis.Latency{{Name: "command", Time: at.Add(time.Second), Latest: 2 * time.Second}})
	if took, known := s.recent["command"]; took != 0 || !known {
		t.Errorf("a spike that is over is %v", s.recent)
	}
}
