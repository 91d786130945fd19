package oracle

import "time"

// Lags are how old positions were when they were shown between two times to viewers who read as fast as they come.
func Lags(facts Facts, from, to time.Time) []time.Duration {
	var lags []time.Duration
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		if v.Drowsy {
			continue
		}
		for _, f := range v.Frames {
			if f.Type == "position" && !f.At.Before(from) && f.At.Before(to) {
				lags = append(lags, max(0, f.At.Sub(time.UnixMilli(f.Position))))
			}
		}
	}
	return lags
}

// DrowsyFrames counts what drowsy viewers read between two times, and how many of them there are.
func DrowsyFrames(facts Facts, from, to time.Time) (frames, viewers int) {
	for i := range facts.Viewers {
		v := &facts.Viewers[i]
		if !v.Drowsy {
			continue
		}
		viewers++
		for _, f := range v.Frames {
			if !f.At.Before(from) && f.At.Before(to) {
				frames++
			}
		}
	}
	return frames, viewers
}

// Heard counts the frames that came between two times over the connections to a node that were open at a third.
func Heard(facts Facts, node string, open, from, to time.Time) (frames int) {
	for i := range facts.Viewers {
		there := false
		for _, f := range facts.Viewers[i].Frames {
			switch {
			case f.Type == "open":
				there = f.Node == node && !f.At.After(open)
			case f.Type != "close" && there && !f.At.Before(from) && f.At.Before(to):
				frames++
			}
		}
	}
	return frames
}
