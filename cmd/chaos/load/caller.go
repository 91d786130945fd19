package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

const (
	// answerPatience is a little more than the oracle grants, so that a slow answer is told from none.
	answerPatience = 6 * time.Second
	// longestWait is what clients make of a longer Retry-After: rows are short.
	longestWait = time.Second
)

// balancer hands out nodes as a load balancer would: in turn, without those that are known to be gone or did not answer lately.
type balancer struct {
	nodes []*rig.Node
	turn  atomic.Int64

	mu      sync.Mutex
	avoided map[*rig.Node]time.Time // until then
}

// avoidFor is how long a node is left out after it did not answer.
const avoidFor = time.Second

// order answers the nodes to try, the best first; empty when none runs.
func (b *balancer) order() []*rig.Node {
	start := int(b.turn.Add(1))
	var good, doubtful []*rig.Node
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.nodes {
		n := b.nodes[(start+i)%len(b.nodes)]
		switch {
		case n.URL() == "":
		case time.Now().Before(b.avoided[n]):
			doubtful = append(doubtful, n)
		default:
			good = append(good, n)
		}
	}
	return append(good, doubtful...)
}

// avoid leaves a node out for a moment.
func (b *balancer) avoid(n *rig.Node) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.avoided == nil {
		b.avoided = map[*rig.Node]time.Time{}
	}
	b.avoided[n] = time.Now().Add(avoidFor)
}

// caller makes requests and notes how each attempt ended.
type caller struct {
	log      *oracle.Log
	balancer *balancer
	http     *http.Client
	hesitate atomic.Int64 // nanoseconds for which until waits after an attempt without an answer
}

func newCaller(log *oracle.Log, nodes []*rig.Node) *caller {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 30 * time.Second}
	return &caller{log: log, balancer: &balancer{nodes: nodes}, http: &http.Client{Transport: transport}}
}

func (c *caller) close() { c.http.CloseIdleConnections() }

// request is one thing that a client wants.
type request struct {
	kind   oracle.Kind
	who    string
	key    string
	method string
	path   string
	header http.Header
	body   any
}

// answer is what came of it; code 0 is none.
type answer struct {
	code       int
	body       []byte
	retryAfter time.Duration
}

func (a answer) ok() bool { return a.code >= 200 && a.code < 300 }

// decode reads the answer's body; one that cannot be read leaves v as it is.
func (a answer) decode(v any) bool { return json.Unmarshal(a.body, v) == nil }

// once makes one attempt: at the next node, and at the one after it when nobody listens there.
func (c *caller) once(ctx context.Context, q request) answer {
	var body []byte
	if q.body != nil {
		// It is made of plain values, which cannot fail to encode.
		body, _ = json.Marshal(q.body)
	}
	for _, node := range c.balancer.order() {
		a, refused := c.attempt(ctx, node, q, body)
		if !refused {
			return a
		}
	}
	return answer{}
}

func (c *caller) attempt(ctx context.Context, node *rig.Node, q request, body []byte) (_ answer, refused bool) {
	noted := oracle.Answer{Kind: q.kind, Who: q.who, Node: node.Name, At: time.Now()}
	a, err := c.send(ctx, node.URL(), q, body)
	if ctx.Err() != nil {
		return answer{}, false // the row is over: nobody waits for this answer any more
	}
	noted.Took, noted.Code, noted.RetryAfter = time.Since(noted.At), a.code, a.retryAfter
	if a.code >= 400 {
		var problem struct{ Code string }
		a.decode(&problem)
		noted.Problem = problem.Code
	}
	if err != nil {
		noted.Err = err.Error()
		noted.Refused = errors.Is(err, syscall.ECONNREFUSED)
		c.balancer.avoid(node)
	}
	noted.Excused = node.Troubled(noted.At)
	c.log.Answered(noted)
	return a, noted.Refused
}

func (c *caller) send(ctx context.Context, url string, q request, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.method, url+q.path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	r.Header.Set("Authorization", "Bearer "+q.key)
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return answer{code: response.StatusCode, body: text, retryAfter: time.Duration(seconds) * time.Second}, nil
}

// until repeats a request until it is answered with something other than "not now", as a phone's queue does. It answers code 0 only when ctx
// ended.
func (c *caller) until(ctx context.Context, random *rand.Rand, q request) answer {
	for {
		a := c.once(ctx, q)
		if a.code != 0 && a.code != http.StatusServiceUnavailable && a.code != http.StatusTooManyRequests {
			return a
		}
		if a.code == 0 && !sleep(ctx, time.Duration(c.hesitate.Load())) || !backOff(ctx, random, a) {
			return answer{}
		}
	}
}

// backOff waits as a refused client does; false means that ctx ended.
func backOff(ctx context.Context, random *rand.Rand, a answer) bool {
	return sleep(ctx, min(a.retryAfter, longestWait)+jitter(random, 50*time.Millisecond, 200*time.Millisecond))
}

func jitter(random *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(random.Int64N(int64(to-from)))
}

// sleep is a client's pause; false means that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pause is a sleep that ends early when it is enough.
func pause(ctx context.Context, d time.Duration, enough <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-enough:
	case <-timer.C:
	}
}

// over reports whether it is enough.
func over(enough <-chan struct{}) bool {
	select {
	case <-enough:
		return true
	default:
		return false
	}
}
