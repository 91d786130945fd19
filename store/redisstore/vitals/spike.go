package vitals

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// spikes knows which of a server's latency events were seen. It records them only when latency-monitor-threshold is set.
type spikes struct {
	seen   map[string]time.Time // by event, when its newest spike came; nil before the first look
	recent map[string]time.Duration
}

// see takes what LATENCY LATEST answers: each event that ever was, with its newest spike. recent is then what came since the look before, and zero for
// events that have been quiet, so that an old spike does not look like one that lasts.
func (s *spikes) see(latest []redis.Latency) {
	seen, recent := map[string]time.Time{}, map[string]time.Duration{}
	for _, event := range latest {
		name := nameOf([]string{event.Name})
		seen[event.Name] = event.Time
		recent[name] = max(recent[name], 0)
		if s.seen != nil && event.Time.After(s.seen[event.Name]) {
			recent[name] = max(recent[name], event.Latest)
		}
	}
	s.seen, s.recent = seen, recent
}
