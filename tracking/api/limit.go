package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/tracking"
)

// Limits holds requests to the rules. The nil *Limits has none.
type Limits struct {
	front   *tracking.LimitFront
	rules   map[string]*limit
	proxies Proxies
}

// limit is a rule at work.
type limit struct {
	LimitRule
	local  *tracking.MemoryLimiter // nil when it is counted in Redis
	policy string                  // its RateLimit-Policy

	allowed, refused, remembered, letPass, shutOut prometheus.Counter
}

// subjectsKnown is how many couriers, keys, links or addresses a local rule counts at once; about 8 MB of them.
const subjectsKnown = 65_536

// NewLimits makes limits; front leads to the counts that all nodes share.
func NewLimits(rules LimitRules, proxies Proxies, front *tracking.LimitFront, registry prometheus.Registerer, now func() time.Time) *Limits {
	decisions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hotfoot_limit_decisions_total",
		Help: "Requests held to a rate limit, by rule and result: allowed; refused; remembered, which is refused without asking Redis again; " +
			"let_pass and shut_out, which is what became of them while Redis could not be asked.",
	}, []string{"rule", "result"})
	registry.MustRegister(decisions)
	l := &Limits{front: front, rules: map[string]*limit{}, proxies: proxies}
	for name, rule := range rules {
		made := &limit{
			LimitRule: rule, policy: policyHeader(rule.LimitPolicy),
			allowed: decisions.WithLabelValues(name, "allowed"), refused: decisions.WithLabelValues(name, "refused"),
			remembered: decisions.WithLabelValues(name, "remembered"),
			letPass:    decisions.WithLabelValues(name, "let_pass"), shutOut: decisions.WithLabelValues(name, "shut_out"),
		}
		if rule.Place == LimitLocal {
			made.local = tracking.NewMemoryLimiter(rule.LimitPolicy, subjectsKnown, now)
		}
		l.rules[name] = made
	}
	return l
}

// rule is nil for one that is off.
func (l *Limits) rule(name string) *limit {
	if l == nil {
		return nil
	}
	return l.rules[name]
}

// take counts one request of a subject, and answers what is left. Errors: CodeRateLimited; while Redis cannot be asked CodeUnavailable or CodeOverloaded
// of a rule that is closed then.
func (l *Limits) take(ctx context.Context, r *limit, subject tracking.LimitSubject) (d tracking.Decision, err error) {
	if r.local != nil {
		d = r.local.Take(subject)
	} else if d, err = l.front.Take(ctx, r.LimitPolicy, subject, 1); err != nil {
		if r.Place == LimitOpen {
			r.letPass.Inc()
			return d, nil
		}
		r.shutOut.Inc()
		return d, err
	}
	switch {
	case d.Allowed:
		r.allowed.Inc()
		return d, nil
	case d.Remembered:
		r.remembered.Inc()
	default:
		r.refused.Inc()
	}
	return d, tracking.RateLimited(r.LimitPolicy, d)
}

// tell counts one request of a subject and has the answer's header say what is left. Errors are those of take; then nothing is said, since the problem does.
func (l *Limits) tell(ctx context.Context, header http.Header, r *limit, subject tracking.LimitSubject) error {
	d, err := l.take(ctx, r, subject)
	if err == nil && d.Limit > 0 {
		header.Add(policyField, r.policy)
		header.Add(limitField, limitHeader(r.LimitPolicy, d))
	}
	return err
}

// ofActor holds the holder of a key to the rule of an operation.
func (l *Limits) ofActor(ctx context.Context, header http.Header, operation, method string, actor tracking.Actor) error {
	r := l.rule(ruleOf(operation, method, actor.Role))
	if r == nil {
		return nil
	}
	kind, id := "key", actor.KeyID
	if actor.Role == tracking.RoleCourier {
		kind, id = "courier", actor.CourierID // also when their key is another one by now
	}
	return l.tell(ctx, header, r, tracking.NewLimitSubject(r.LimitPolicy, kind, string(id[:])))
}

// ruleOf is the rule of an operation by who asks for it; "" for one that is held to its rule elsewhere.
func ruleOf(operation, method string, role tracking.Role) string {
	switch {
	case operation == opReportPositions:
		return ""
	case operation == opCheckLimit:
		return ruleChecks
	case role == tracking.RoleCourier:
		return ruleCouriers
	case method == http.MethodGet:
		return ruleReads
	}
	return ruleWrites
}

// report holds a courier to the rule of reports, whichever way they come. It is on the path of every report: nothing is allocated, and the answer
// does not say what is left.
func (l *Limits) report(actor tracking.Actor) error {
	r := l.rule(rulePositions)
	if r == nil {
		return nil
	}
	_, err := l.take(context.Background(), r, tracking.LimitSubject(actor.CourierID))
	return err
}

// ofLink holds a link to the rule of snapshots.
func (l *Limits) ofLink(ctx context.Context, header http.Header, token string) error {
	r := l.rule(ruleSnapshots)
	if r == nil {
		return nil
	}
	return l.tell(ctx, header, r, tracking.NewLimitSubject(r.LimitPolicy, "link", token))
}

// ofAddress holds a request's client to a rule that counts by address. A peer without one is let pass: they would all be one.
func (l *Limits) ofAddress(r *http.Request, rule string) error {
	at := l.rule(rule)
	if at == nil {
		return nil
	}
	subject, ok := l.client(at, r)
	if !ok {
		return nil
	}
	_, err := l.take(r.Context(), at, subject)
	return err
}

func (l *Limits) client(rule *limit, r *http.Request) (tracking.LimitSubject, bool) {
	addr, ok := l.proxies.Client(r)
	if !ok {
		return tracking.LimitSubject{}, false
	}
	return tracking.NewLimitSubject(rule.LimitPolicy, "address", network(addr)), true
}

// missed answers what becomes of a link that opens nothing.
func (l *Limits) missed(r *http.Request, err error) error {
	if tracking.CodeOf(err) == tracking.CodeNotFound {
		if limited := l.ofAddress(r, ruleMisses); limited != nil {
			return limited
		}
	}
	return err
}

// The fields as net/http keeps them: any other way of writing them is made into this one each time.
const (
	policyField = "Ratelimit-Policy"
	limitField  = "Ratelimit"
)

// policyHeader and limitHeader are the fields of draft-ietf-httpapi-ratelimit-headers-11. Seconds are rounded up: who waits that long has waited long enough.
func policyHeader(p tracking.LimitPolicy) string {
	return `"` + p.Name + `";q=` + strconv.FormatInt(p.Quota(), 10) + ";w=" + strconv.FormatInt(seconds(p.Window()), 10)
}

func limitHeader(p tracking.LimitPolicy, d tracking.Decision) string {
	return `"` + p.Name + `";r=` + strconv.FormatInt(d.Remaining, 10) + ";t=" + strconv.FormatInt(seconds(d.Reset), 10)
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
