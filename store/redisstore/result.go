package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.Results = (*Results)(nil)

// Results keeps what was worked out in Redis, for all nodes, and the latest of it in memory. An entry never changes, so none has to be made invalid;
// one that is in memory is forgotten there a minute later than in Redis at most.
type Results struct {
	client redis.UniversalClient
	near   cache[resultOf, []byte]
}

type resultOf struct {
	kind  string
	input [32]byte
}

const (
	// resultsNear is how many are kept in memory: two megabytes of roads.
	resultsNear = 10_000
	// maxResult is the largest that is kept, in bytes.
	maxResult = 4 << 10
	// nearLife is how long one stays in memory, since in Redis it may have had no longer to live.
	nearLife = time.Minute
)

// NewResults makes Results over a client; closing the client stays the caller's.
func NewResults(client redis.UniversalClient) *Results {
	return &Results{client: client, near: otter.Must(&otter.Options[resultOf, []byte]{
		MaximumSize: resultsNear, ExpiryCalculator: otter.ExpiryWriting[resultOf, []byte](nearLife), Logger: &otter.NoopLogger{},
	})}
}

// Close ends what the cache does in the background.
func (r *Results) Close() { r.near.StopAllGoroutines() }

var errNoResult = tracking.Errorf(tracking.CodeNotFound, "it was not worked out lately")

// Result implements tracking.Results. The value must not be changed.
func (r *Results) Result(ctx context.Context, kind string, input [32]byte) ([]byte, error) {
	of := resultOf{kind, input}
	if value, ok := r.near.GetIfPresent(of); ok {
		return value, nil
	}
	value, err := r.client.Get(ctx, key.Result(kind, input)).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, errNoResult
	}
	if err != nil {
		return nil, unavailable(err)
	}
	r.near.Set(of, value)
	return value, nil
}

// KeepResult implements tracking.Results. One that is too large is not kept.
func (r *Results) KeepResult(ctx context.Context, kind string, input [32]byte, value []byte, life time.Duration) error {
	if len(value) > maxResult {
		return nil
	}
	// Those that were worked out together must not all have to be worked out again together.
	life += rand.N(life/4 + 1)
	r.near.Set(resultOf{kind, input}, value)
	return unavailable(r.client.Set(ctx, key.Result(kind, input), value, life).Err())
}
