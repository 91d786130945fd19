package redisstore_test

import (
	"fmt"
	"strings"
	"testing"

	"hotfoot/tracking/key"
)

// BenchmarkPlace is one report's round trip, with and without a backlog. redis-µs is what the server spends on it, which has one thread for all.
func BenchmarkPlace(b *testing.B) {
	for _, waiting := range []int64{0, 1000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			h := newHot(b)
			c := h.courier()
			place := func(seq int64) {
				_, err := h.Place(b.Context(), placement(c, fix(float64(seq)), seq))
				must(b, err)
			}
			stream, counter := key.Positions(key.Partition(c.ID)), key.BacklogBytes(key.Partition(c.ID))
			seq := int64(1)
			for place(seq); seq < waiting; place(seq) {
				seq++
			}
			bytes := h.client.Get(b.Context(), counter).Val()
			must(b, h.client.ConfigResetStat(b.Context()).Err())
			for b.Loop() {
				if seq++; seq%100 == 0 {
					b.StopTimer()
					must(b, h.client.XTrimMaxLen(b.Context(), stream, waiting).Err())
					must(b, h.client.Set(b.Context(), counter, bytes, 0).Err())
					b.StartTimer()
				}
				place(seq)
			}
			// As in: cmdstat_evalsha:calls=1,usec=13,usec_per_call=13.00,…
			_, stats, _ := strings.Cut(h.client.Info(b.Context(), "commandstats").Val(), "cmdstat_evalsha:")
			_, stats, _ = strings.Cut(stats, "usec_per_call=")
			var micros float64
			_, err := fmt.Sscanf(stats, "%f", &micros)
			must(b, err)
			b.ReportMetric(micros, "redis-µs/op")
		})
	}
}
