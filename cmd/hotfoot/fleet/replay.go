package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"hotfoot/cmd/hotfoot/client"
	"hotfoot/cmd/hotfoot/trackfile"
)

// ReplayConfig says what to replay, where and how fast.
type ReplayConfig struct {
	BaseURL     string
	MerchantKey string
	Tracks      []trackfile.Track
	Speed       float64           // 0 and 1 are as recorded; at 10 an hour takes six minutes
	Transport   http.RoundTripper // carries the requests; nil opens connections of its own
	Log         *slog.Logger      // nil discards
	OnReady     func([]CourierRef, []DeliveryRef)
}

// Replay plays recorded tracks: one courier and one delivery, to the track's end, for each. Call Run once.
type Replay struct {
	cfg      ReplayConfig
	merchant *client.Client
	players  []*player

	mu     sync.Mutex
	report Report
}

// Report counts what became of the points.
type Report struct {
	Tracks    int // tracks replayed
	Untimed   int // points, and all points of tracks, without a time: they cannot be replayed
	Points    int // points to replay
	Live      int
	Late      int
	Duplicate int
	Rejected  map[string]int // by code
	Suspect   map[string]int // of those that came late, what was kept and not shown, by reason
	Durable   int            // points of tracks whose every point the server has made durable, so far
}

// NewReplay prepares a replay. Points without a time are left out; having none with a time is an error.
func NewReplay(cfg ReplayConfig) (*Replay, error) {
	switch {
	case cfg.BaseURL == "":
		return nil, errors.New("replay: BaseURL is empty")
	case cfg.MerchantKey == "":
		return nil, errors.New("replay: MerchantKey is empty")
	case cfg.Speed < 0:
		return nil, fmt.Errorf("replay: Speed is %v, want more than 0", cfg.Speed)
	}
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Replay{cfg: cfg, merchant: connect(cfg.BaseURL, cfg.MerchantKey, cfg.Transport), report: Report{Rejected: map[string]int{}, Suspect: map[string]int{}}}
	id := rand.Text()[:8]
	for _, track := range cfg.Tracks {
		timed := timedPoints(track)
		r.report.Untimed += len(track.Points) - len(timed)
		if len(timed) > 0 {
			r.players = append(r.players, &player{
				replay: r, name: track.Name, points: timed, session: fmt.Sprintf("replay-%s-%d", id, len(r.players)+1),
			})
			r.report.Points += len(timed)
		}
	}
	if len(r.players) == 0 {
		return nil, fmt.Errorf("replay: %w", trackfile.ErrNoTimes)
	}
	r.report.Tracks = len(r.players)
	alignOrigins(r.players)
	return r, nil
}

func timedPoints(track trackfile.Track) []trackfile.Point {
	var timed []trackfile.Point
	for _, p := range track.Points {
		if !p.Time.IsZero() {
			timed = append(timed, p)
		}
	}
	return timed
}

// Report returns the counts so far.
func (r *Replay) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.report
	out.Rejected, out.Suspect = maps.Clone(out.Rejected), maps.Clone(out.Suspect)
	return out
}

// setupWidth is how many couriers are created at once.
const setupWidth = 8

// Run creates the couriers and deliveries, plays every track to its end and returns when all points are durable. A
// track that the server refuses does not stop the others; its error is among those returned.
func (r *Replay) Run(ctx context.Context) error {
	err := inParallel(setupWidth, len(r.players), func(i int) error { return r.players[i].setup(ctx) })
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if r.cfg.OnReady != nil {
		var couriers []CourierRef
		var deliveries []DeliveryRef
		for _, p := range r.players {
			couriers, deliveries = append(couriers, p.courier), append(deliveries, p.delivery)
		}
		r.cfg.OnReady(couriers, deliveries)
	}
	start := time.Now()
	failures := make([]error, len(r.players))
	var wg sync.WaitGroup
	for i, p := range r.players {
		wg.Go(func() {
			if err := p.play(ctx, start); err != nil {
				failures[i] = fmt.Errorf("replay: track %s: %w", p.name, err)
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err() // every track failed for this one reason
	}
	return errors.Join(failures...)
}

func (r *Replay) count(receipts []client.Receipt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, receipt := range receipts {
		switch receipt.Result {
		case client.ResultLive:
			r.report.Live++
		case client.ResultLate:
			r.report.Late++
		case client.ResultDuplicate:
			r.report.Duplicate++
		default:
			r.report.Rejected[receipt.Code]++
		}
		if receipt.Suspect != "" {
			r.report.Suspect[receipt.Suspect]++
		}
	}
}
