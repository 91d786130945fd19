package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"hotfoot/cmd/chaos/oracle"
	"hotfoot/cmd/chaos/rig"
)

// Silence is how long a viewer waits for any sign before it takes the connection for dead; the server ticks every 5 s.
const Silence = 12 * time.Second

// A viewer comes back after so long, with full jitter, whatever the server asked for beyond it: rows are short.
const (
	soonestReturn = 200 * time.Millisecond
	latestReturn  = 2 * time.Second
)

// viewer watches one delivery by the client's rule: a status counts only when it is the next one, and whoever sees a hole asks again for what
// is missing.
type viewer struct {
	delivery delivery
	open     opener
	call     *caller
	log      *oracle.Viewer
	random   *rand.Rand
	// restless ones leave after a second or two and come back.
	restless bool
	streams  bool          // by server-sent events
	epoch    *atomic.Int64 // the present one, if it was ever raised

	mu    sync.Mutex
	state sight
}

// opener connects to a path and answers its frames; since is "" or a resume cursor.
type opener func(ctx context.Context, v *viewer, node *rig.Node, since string) (frames, error)

// frames are one connection. next answers a frame, or why there is none.
type frames interface {
	next(patience time.Duration) ([]byte, error)
	close()
}

// sight is what a viewer knows and shows.
type sight struct {
	node      *rig.Node // of the newest connection
	connected bool
	done      bool // told not to come back
	live      bool
	greeted   bool // has had a snapshot on this connection
	epoch     int64
	ver       int64
	status    string
}

// run watches until the delivery is over or ctx ends. Once it is enough, restless viewers stay.
func (v *viewer) run(ctx context.Context, enough <-chan struct{}) {
	for ctx.Err() == nil {
		away := v.connect(ctx, enough)
		v.mu.Lock()
		done := v.state.done
		v.mu.Unlock()
		if done {
			if !v.lookAgain(ctx) {
				return
			}
			continue
		}
		// Who is away when it is enough comes back at once, to see how it ends.
		if over(enough) {
			sleep(ctx, away)
		} else {
			pause(ctx, away, enough)
		}
	}
}

// lookAgain waits, once the delivery is over, until history is rewritten: it may not be over then. False means that ctx ended.
func (v *viewer) lookAgain(ctx context.Context) bool {
	for v.sight().epoch >= v.epoch.Load() {
		if !sleep(ctx, latestReturn) {
			return false
		}
	}
	v.set(func(s *sight) { s.done = false })
	return sleep(ctx, soonestReturn)
}

// connect watches over one connection, and answers how long to stay away after it.
func (v *viewer) connect(ctx context.Context, enough <-chan struct{}) time.Duration {
	back := jitter(v.random, soonestReturn, latestReturn)
	since := ""
	if v.state.epoch > 0 {
		since = fmt.Sprintf("%d.%d", v.state.epoch, v.state.ver)
	}
	connection, node := v.dial(ctx, since)
	if connection == nil {
		return back
	}
	defer connection.close()
	defer context.AfterFunc(ctx, connection.close)()
	v.log.Saw(oracle.Frame{At: time.Now(), Type: "open", Node: node.Name, Stream: v.streams, Epoch: v.state.epoch, Ver: v.state.ver})
	v.set(func(s *sight) { s.node, s.connected, s.greeted = node, true, false })
	defer v.set(func(s *sight) { s.connected, s.live = false, false })
	leave := time.Time{}
	if v.restless {
		leave = time.Now().Add(jitter(v.random, time.Second, 3*time.Second))
	}
	for {
		text, err := connection.next(v.patience(leave, enough))
		if err != nil {
			code := closeCode(err)
			if ctx.Err() == nil || code > 0 {
				v.log.Saw(oracle.Frame{At: time.Now(), Type: "close", Code: code, Left: !leave.IsZero() && time.Now().After(leave)})
			}
			v.set(func(s *sight) {
				s.done = s.done || code == closeFinished || code == closeRevoked || code == closeUnknown
			})
			return back
		}
		switch f := read(text); v.take(f) {
		case goOn:
		case resume:
			v.log.Saw(oracle.Frame{At: time.Now(), Type: "close"})
			return 0
		case goAway:
			back = jitter(v.random, 0, max(time.Millisecond, min(f.RetryAfter, latestReturn)))
		}
	}
}

// patience is how long to wait for the next frame.
func (v *viewer) patience(leave time.Time, enough <-chan struct{}) time.Duration {
	if leave.IsZero() || over(enough) {
		return Silence
	}
	return min(Silence, max(time.Millisecond, time.Until(leave)))
}

// dial tries gateways in turn until one listens, and notes how each attempt ended.
func (v *viewer) dial(ctx context.Context, since string) (frames, *rig.Node) {
	for _, node := range v.call.balancer.order() {
		noted := oracle.Answer{Kind: oracle.Opening, Who: v.log.Name, Node: node.Name, At: time.Now(), Code: 101}
		connection, err := v.open(ctx, v, node, since)
		if ctx.Err() != nil {
			if connection != nil {
				connection.close()
			}
			return nil, nil
		}
		if err != nil {
			noted.Code, noted.Err, noted.Refused = refusal(err)
			v.call.balancer.avoid(node)
		}
		noted.Took = time.Since(noted.At)
		noted.Excused = node.Troubled(noted.At)
		v.call.log.Answered(noted)
		if !noted.Refused {
			return connection, node
		}
	}
	return nil, nil
}

func (v *viewer) set(change func(*sight)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.state)
}

// sight answers what the viewer knows now.
func (v *viewer) sight() sight {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.state
}

// verdict is what a frame makes the viewer do.
type verdict int

const (
	goOn   verdict = iota
	resume         // a hole was seen: ask again at once
	goAway         // the server is about to close
)

// take applies one frame.
func (v *viewer) take(f oracle.Frame) verdict {
	if f.Type != "" {
		v.log.Saw(f)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s := &v.state
	switch f.Type {
	case "snapshot":
		s.greeted, s.live, s.epoch, s.ver, s.status = true, f.Live, f.Epoch, f.Ver, f.Status
	case "status":
		if f.Epoch != s.epoch || f.Ver > s.ver+1 {
			return resume
		}
		if f.Ver == s.ver+1 {
			s.ver, s.status = f.Ver, f.Status
		}
	case "tick", "view", "position":
		if f.Type == "tick" {
			s.live = f.Live
		}
		if s.greeted && f.SV > s.ver {
			return resume
		}
	case "bye":
		s.done = s.done || f.Word == "finished"
		return goAway
	}
	return goOn
}
