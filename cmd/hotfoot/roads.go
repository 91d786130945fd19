package main

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/osrm"
)

// roads work out ways with a routing server, if there is one, and what is remembered of its answers.
type roads struct {
	*tracking.Roads
	router  *osrm.Router // nil when there is none
	results *redisstore.Results
}

func newRoads(routingURL string, client redis.UniversalClient, registry prometheus.Registerer) (*roads, error) {
	answered := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hotfoot_roads_total", Help: "Ways that were worked out, by where the answer came from."}, []string{"from"})
	registry.MustRegister(answered)
	for _, from := range tracking.AllAnswered {
		answered.WithLabelValues(string(from))
	}
	config := tracking.RoadsConfig{OnAnswer: func(from tracking.Answered) { answered.WithLabelValues(string(from)).Inc() }}
	r := &roads{}
	var router tracking.Router // an interface that holds a nil pointer is not nil
	if routingURL != "" {
		var err error
		if r.router, err = osrm.New(routingURL); err != nil {
			return nil, fmt.Errorf("HOTFOOT_ROUTING_URL: %w", err)
		}
		router = r.router
	}
	r.results = redisstore.NewResults(client)
	r.Roads = tracking.NewRoads(router, r.results, config)
	return r, nil
}

// close lets go of connections and memory. Nothing may be under way.
func (r *roads) close() {
	if r.router != nil {
		r.router.Close()
	}
	r.results.Close()
}
