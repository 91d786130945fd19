package main

import "hotfoot/cmd/chaos/rig"

// Metric is the sum over nodes of what they tell Prometheus under a name, labels included; a node that was started anew counts anew.
func (r *Run) Metric(name string, nodes ...*rig.Node) float64 {
	sum := 0.0
	for _, n := range nodes {
		metrics, err := n.Metrics(r.ctx)
		if err != nil {
			r.fail(err)
		}
		sum += metrics[name]
	}
	return sum
}

// memory is what nodes hold, in resident bytes.
func (r *Run) memory(nodes ...*rig.Node) (bytes int64) {
	for _, n := range nodes {
		v, err := n.Vitals(r.ctx)
		if err != nil {
			r.fail(err)
		}
		bytes += v.Memory
	}
	return bytes
}
