package doctor

import (
	"context"
	"time"

	"hotfoot/tracking"
)

// clock compares a server's clock with ours. A position is shown while it is young and refused when it comes from the future, by the clock of whoever
// looks: two that differ by seconds show couriers late, and by a minute refuse them.
func (c *chart) clock(ctx context.Context, check string, ask func(context.Context) (time.Time, error)) {
	before := time.Now()
	theirs, err := ask(ctx)
	if err != nil {
		c.warn(check, "", "it does not tell the time: %v", err)
		return
	}
	trip := time.Since(before)
	skew := theirs.Sub(before.Add(trip / 2))
	const keep = "run chrony or systemd-timesyncd on both machines"
	switch off := skew.Abs() - trip/2; {
	case off > tracking.MaxFuture/2:
		c.bad(check, keep, "it is %s from ours", skew.Round(time.Millisecond))
	case off > time.Second:
		c.warn(check, keep, "it is %s from ours", skew.Round(time.Millisecond))
	default:
		c.ok(check, "it is %s from ours", skew.Round(time.Millisecond))
	}
}
