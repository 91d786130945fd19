package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotfoot/tracking"
)

// LimitPlace is where a rule counts, and with that what becomes of requests that nobody can count.
type LimitPlace string

// The places.
const (
	// LimitLocal counts in each process alone and never asks Redis.
	LimitLocal LimitPlace = "local"
	// LimitOpen counts in Redis for all nodes, and lets pass while Redis cannot be asked.
	LimitOpen LimitPlace = "open"
	// LimitClosed counts in Redis for all nodes, and refuses while Redis cannot be asked.
	LimitClosed LimitPlace = "closed"
)

// The rules. Each is for some routes and roles, and counts by whoever can be held to it.
const (
	ruleKeys       = "keys"       // keys that are not valid, by client address
	ruleMisses     = "misses"     // links that open nothing, and steps of a sign-in with a provider, by client address
	ruleHandshakes = "handshakes" // sockets and streams that are opened, by client address
	ruleSnapshots  = "snapshots"  // what a customer's page reads, by link
	rulePositions  = "positions"  // reports of positions, by courier
	ruleCouriers   = "couriers"   // everything else with a courier's key, by courier
	ruleWrites     = "writes"     // what changes something with a merchant or ops key, by key
	ruleReads      = "reads"      // what changes nothing with a merchant or ops key, by key
	ruleChecks     = "checks"     // decisions that are asked for with a merchant's key, by key
)

var ruleNames = []string{ruleKeys, ruleMisses, ruleHandshakes, ruleSnapshots, rulePositions, ruleCouriers, ruleWrites, ruleReads, ruleChecks}

// LimitRule is a policy and where it is counted.
type LimitRule struct {
	tracking.LimitPolicy
	Place LimitPlace
}

// LimitRules are the rules that apply, by name. One that is missing is off.
type LimitRules map[string]LimitRule

// DefaultLimits are far above what one person, one shop or one phone does, since a mobile network or an office may have thousands behind an address.
// A merchant's reads are theirs to make as often as they like. A link that opens nothing must not cost Redis more than it would cost to look for it.
const DefaultLimits = "keys=sliding_window:300/1m:closed," +
	"misses=sliding_window:600/1m:local," +
	"handshakes=token_bucket:500/1s:burst=50000:local," +
	"snapshots=token_bucket:1000/1s:burst=20000:local," +
	"positions=token_bucket:50/1s:burst=2000:local," +
	"couriers=token_bucket:20/1s:burst=1000:open," +
	"writes=token_bucket:200/1s:burst=5000:open," +
	"reads=off," +
	"checks=token_bucket:2000/1s:burst=10000:local"

// ParseLimits reads rules as HOTFOOT_LIMITS has them, and puts them over the default ones:
//
//	rules  = rule {"," rule}                                        or "off" for none at all
//	rule   = name "=" kind ":" limit "/" period {":" option}        or name "=off"
//	option = "burst=" number | "local" | "open" | "closed"          local when nothing is said
//
// as in "writes=token_bucket:50/1s:burst=500:open,keys=off". Errors say which rule cannot be read, and why.
func ParseLimits(text string) (LimitRules, error) {
	rules := LimitRules{}
	if strings.TrimSpace(text) == "off" {
		return rules, nil
	}
	for _, list := range []string{DefaultLimits, text} {
		for entry := range strings.SplitSeq(list, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			name, rest, _ := strings.Cut(entry, "=")
			if !slices.Contains(ruleNames, name) {
				return nil, fmt.Errorf("there is no rule %q; there are %s", name, strings.Join(ruleNames, ", "))
			}
			if rest == "off" {
				delete(rules, name)
				continue
			}
			rule, err := parseRule(name, rest)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", entry, err)
			}
			rules[name] = rule
		}
	}
	return rules, nil
}

func parseRule(name, text string) (LimitRule, error) {
	rule := LimitRule{LimitPolicy: tracking.LimitPolicy{Name: name}, Place: LimitLocal}
	parts := strings.Split(text, ":")
	if len(parts) < 2 {
		return rule, fmt.Errorf("must be like token_bucket:50/1s:burst=500:open")
	}
	rule.Kind = tracking.LimitKind(parts[0])
	limit, period, ok := strings.Cut(parts[1], "/")
	var err error
	if rule.Limit, err = strconv.ParseInt(limit, 10, 64); err != nil || !ok {
		return rule, fmt.Errorf("%q must be a limit and its period, as in 50/1s", parts[1])
	}
	if rule.Period, err = time.ParseDuration(period); err != nil {
		return rule, fmt.Errorf("%q is no period such as 1s, 1m or 24h", period)
	}
	for _, option := range parts[2:] {
		burst, isBurst := strings.CutPrefix(option, "burst=")
		switch place := LimitPlace(option); {
		case isBurst:
			if rule.Burst, err = strconv.ParseInt(burst, 10, 64); err != nil || rule.Burst < 1 {
				return rule, fmt.Errorf("%q is no burst", burst)
			}
		case place == LimitLocal, place == LimitOpen, place == LimitClosed:
			rule.Place = place
		default:
			return rule, fmt.Errorf("%q is no option; there are burst=, local, open and closed", option)
		}
	}
	if name == rulePositions && rule.Place != LimitLocal {
		return rule, fmt.Errorf("reports of positions can only be counted locally: a round trip for each would double what it costs")
	}
	return rule, rule.Validate("")
}
