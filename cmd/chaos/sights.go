package main

import (
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// Delays are how long the statuses acknowledged during the newest fault took to viewers at a node; nil for all nodes.
func (r *Run) Delays(node *rig.Node) Delays {
	s, name := r.spans[len(r.spans)-1], ""
	if node != nil {
		name = node.Name
	}
	return oracle.Delays(r.log.Facts(), s.from, s.to, name)
}

// Delays are how long viewers waited for statuses.
type Delays []time.Duration

// Quantile is the q-quantile; 1 is the longest.
func (ds Delays) Quantile(q float64) time.Duration { return oracle.Quantile(ds, q) }

// Shown counts the viewers who were shown a frame of this type between two times.
func (r *Run) Shown(frame string, from, to time.Time) (viewers int) {
	facts := r.log.Facts()
	for i := range facts.Viewers {
		for _, f := range facts.Viewers[i].Frames {
			if f.Type == frame && f.At.After(from) && f.At.Before(to) {
				viewers++
				break
			}
		}
	}
	return viewers
}
