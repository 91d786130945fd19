package gateway

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
)

func TestTail(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) tracking.Event {
			return tracking.Event{
				Ver: rapid.Int64Range(1, 1<<40).Draw(t, "ver"), At: time.Unix(0, rapid.Int64Range(0, 4e18).Draw(t, "at")).UTC(),
				Status: rapid.SampledFrom(tracking.Statuses).Draw(t, "status"), Reason: rapid.String().Draw(t, "reason"),
				Proof: tracking.Proof{LeftAt: rapid.String().Draw(t, "left at"), Name: rapid.String().Draw(t, "name")},
			}
		}), 0, tracking.MaxEvents).Draw(t, "events")
		known := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 1<<40)).Draw(t, "known")
		var want []tracking.Event
		for _, e := range events {
			if e.Ver > known {
				want = append(want, e)
			}
		}
		if got := packTail(events).after(known); !slices.Equal(got, want) {
			t.Fatalf("%+v came back as %+v", want, got)
		}
	})
}
