package redisstore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"hotfoot/tracking"
)

// appendRuns writes a batch's seqs as the script reads them: "1-57,60-60".
func appendRuns(out []byte, b tracking.Batch) []byte {
	var room [64]int64
	seqs := append(room[:0], b.Settled...)
	for i := range b.Fixes {
		if seq := b.Fixes[i].Seq; seq > 0 {
			seqs = append(seqs, seq)
		}
	}
	slices.Sort(seqs)
	for i := 0; i < len(seqs); {
		j := i
		for j+1 < len(seqs) && seqs[j+1] <= seqs[j]+1 {
			j++
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, seqs[i], 10)
		out = append(out, '-')
		out = strconv.AppendInt(out, seqs[j], 10)
		i = j + 1
	}
	return out
}

// parseRuns reads what the script wrote. A run that cannot be read is as good as forgotten: its points are sent again.
func parseRuns(s string) []tracking.Span {
	var spans []tracking.Span
	for run := range strings.SplitSeq(s, ",") {
		first, last, _ := strings.Cut(run, "-")
		f, err1 := strconv.ParseInt(first, 10, 64)
		l, err2 := strconv.ParseInt(last, 10, 64)
		if err1 == nil && err2 == nil && f <= l && l <= maxSeq {
			spans = append(spans, tracking.Span{First: f, Last: l})
		}
	}
	return spans
}

// maxSeq is the highest seq that a script's numbers hold exactly, and the highest that phones may use.
const maxSeq = 1<<53 - 1

func (s *Store) loadSession(ctx context.Context, courier tracking.ID, session string) error {
	epoch, runs := s.epoch.Load(), s.runsNow()
	seq, err := s.truth.DurableSeq(ctx, courier, session)
	if tracking.CodeOf(err) == tracking.CodeUnavailable {
		// With Postgres away the session goes on from what is left of it, or starts over at 0: the phone may send more than needed, and every point is
		// still stored once.
		runs, err = &Runs{}, nil
	}
	if err != nil {
		return err
	}
	return s.makeMarks(ctx, epoch, runs, []tracking.Mark{{CourierID: courier, Session: session, DurableSeq: seq}})
}
