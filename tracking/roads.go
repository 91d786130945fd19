package tracking

import (
	"context"
	"time"
)

// Router finds ways along roads. Errors: CodeNotFound (there is no way), CodeUnavailable, at once when it did not answer lately, CodeOverloaded.
type Router interface {
	Road(ctx context.Context, leg Leg) (Road, error)
	// Name tells one router's answers from another's, and those of one map from those of the next.
	Name() string
}

// Results remember what was worked out, by what it was worked out from: so nothing in them is ever wrong, and they may forget at any time.
type Results interface {
	// Result answers what was worked out from an input with this SHA-256. Errors: CodeNotFound, CodeUnavailable.
	Result(ctx context.Context, kind string, input [32]byte) ([]byte, error)
	// KeepResult remembers it for about this long. Errors: CodeUnavailable.
	KeepResult(ctx context.Context, kind string, input [32]byte, value []byte, life time.Duration) error
}

// Basis says what a Travel was worked out from.
type Basis string

// The bases.
const (
	ByRoad     Basis = "road"
	ByEstimate Basis = "estimate" // the straight line, stretched to streets, at the vehicle's usual pace
)

// Travel is how far and how long a leg is, as far as anybody can tell.
type Travel struct {
	Road
	Basis Basis
}

// Answered says where an answer about roads came from.
type Answered string

// Where answers come from.
const (
	AnsweredKept      Answered = "kept"      // somebody had asked the router before
	AnsweredRouter    Answered = "router"    // it was asked now
	AnsweredEstimated Answered = "estimated" // there is no router, or none that answers, or no road
)

// AllAnswered lists all of them.
var AllAnswered = []Answered{AnsweredKept, AnsweredRouter, AnsweredEstimated}

// Roads work out legs: each is looked up once by whoever asks first, shared by those who ask meanwhile, and kept for all. Places are those of a grid
// of about 11 m, so that one door has one answer, however it is written. Without a router, and whenever it does not answer, a leg is estimated: asking
// never fails, and takes no longer than a router may.
type Roads struct {
	router  Router
	results Results
	config  RoadsConfig
	aloft   flights[[32]byte, found]
}

// RoadsConfig tunes Roads.
type RoadsConfig struct {
	// OnAnswer is told where each answer came from; nil for nobody.
	OnAnswer func(Answered)
}

const (
	roadKind = "road"
	roadLife = 24 * time.Hour // maps change by the week
	noneLife = time.Minute    // where there is no road there may be a fault in the map, or a ferry that is not running
	// roadPatience is how long somebody waits for a router, and roadLimit how long one has, so that the answer is kept for the next who asks.
	roadPatience = 1200 * time.Millisecond
	roadLimit    = 2 * time.Second
	roadsAloft   = 64
)

// NewRoads ties the use case to its ports; router is nil when there is none. Run must run.
func NewRoads(router Router, results Results, config RoadsConfig) *Roads {
	if config.OnAnswer == nil {
		config.OnAnswer = func(Answered) {}
	}
	return &Roads{router: router, results: results, config: config, aloft: newFlights[[32]byte, found](roadsAloft, roadLimit)}
}

// Travel works out a leg. Errors: CodeInvalid.
func (u *Roads) Travel(ctx context.Context, leg Leg) (Travel, error) {
	if err := leg.validate(); err != nil {
		return Travel{}, err
	}
	leg = leg.onGrid()
	if u.router != nil {
		ctx, cancel := context.WithTimeout(ctx, roadPatience)
		defer cancel()
		input := leg.digest(u.router.Name())
		known, err := u.aloft.do(ctx, input, func(ctx context.Context) (found, error) { return u.find(ctx, leg, input) })
		if err == nil && known.ok {
			u.config.OnAnswer(known.from)
			return Travel{known.road, ByRoad}, nil
		}
	}
	u.config.OnAnswer(AnsweredEstimated)
	return Travel{leg.estimate(), ByEstimate}, nil
}

// find looks a leg up: among what is kept, then at the router.
func (u *Roads) find(ctx context.Context, leg Leg, input [32]byte) (found, error) {
	if kept, err := u.results.Result(ctx, roadKind, input); err == nil {
		if known, ok := decodeFound(kept); ok {
			return known, nil
		}
	}
	road, err := u.router.Road(ctx, leg)
	known, life := found{road: road, ok: true, from: AnsweredRouter}, roadLife
	if CodeOf(err) == CodeNotFound {
		known, life, err = found{}, noneLife, nil
	}
	if err != nil {
		return found{}, err
	}
	// What is not kept is looked up again.
	_ = u.results.KeepResult(ctx, roadKind, input, known.encode(), life)
	return known, nil
}

// Run waits for what is under way when ctx ends.
func (u *Roads) Run(ctx context.Context) error {
	<-ctx.Done()
	u.aloft.close()
	return nil
}
