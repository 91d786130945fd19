package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/api"
)

// limitDays is how long counts of decisions are kept: a month to compare with the one before needs no more.
const limitDays = 62

// limits are what requests are held to, and what other services may ask.
type limits struct {
	*api.Limits
	proxies api.Proxies
	checks  *tracking.LimitChecks
	log     *tracking.LimitLog
}

// limits reads the rules and the networks of balancers.
func (f nodeFlags) limits() (api.LimitRules, api.Proxies, error) {
	rules, err := api.ParseLimits(f.Limits)
	if err != nil {
		return nil, nil, fmt.Errorf("HOTFOOT_LIMITS: %w", err)
	}
	proxies, err := api.ParseProxies(f.TrustedProxies)
	if err != nil {
		return nil, nil, fmt.Errorf("HOTFOOT_TRUSTED_PROXIES: %w", err)
	}
	return rules, proxies, nil
}

// buildLimits ties rate limits to the stores.
func (n *node) buildLimits() (limits, error) {
	rules, proxies, err := n.flags.limits()
	if err != nil {
		return limits{}, err
	}
	front := tracking.NewLimitFront(redisstore.NewLimiter(n.client), time.Now)
	log := tracking.NewLimitLog(n.truth, tracking.LimitLogConfig{}, time.Now, n.log)
	n.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "hotfoot_limit_counts_dropped_total", Help: "Decisions for merchants' services that are missing in their counts, since there were too many keys.",
	}, func() float64 { return float64(log.Dropped()) }))
	return limits{api.NewLimits(rules, proxies, front, n.registry, time.Now), proxies, tracking.NewLimitChecks(front, log, time.Now), log}, nil
}

// forgetLimitCounts deletes counts of decisions when they are old.
func (n *node) forgetLimitCounts(ctx context.Context) error {
	return every(ctx, time.Hour, func() error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		if err := n.truth.ForgetLimitCounts(ctx, time.Now().AddDate(0, 0, -limitDays)); err != nil && ctx.Err() == nil {
			n.log.Warn("deleting old counts of rate limit decisions failed; they are tried again in an hour", "error", err)
		}
		return nil
	})
}
