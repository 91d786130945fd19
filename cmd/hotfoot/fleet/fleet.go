// Package fleet moves simulated couriers, or recorded ones, against a Hotfoot server through its public API alone.
//
//	City ── routes, shops, doors ──► Courier ── fixes, changes ──► phone ── reports ──► client ──► server
//	        (real streets)           (drives)                      (buffers, loses      (retries)
//	                                                                the network)
//	trackfile.Track ── recorded points ──► Replay ─────────────────────────────────────► client ──► server
//
// Guarantees: a courier keeps to real streets, its clock never runs backwards, and what it does is determined by the
// seed. Reported points are kept until the server says they are durable, statuses until they are answered, so that a
// server's restart loses nothing but what exceeds a phone's memory. Nothing recorded is dated in the future.
//
// Concurrency: one goroutine keeps the schedule, a bounded pool carries the requests; a courier is in the hands of one
// of them at a time. There is no goroutine and no timer per courier.
package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	randv2 "math/rand/v2"
	"net/http"
	"time"

	"hotfoot/cmd/hotfoot/client"
)

// Config says which server, how many couriers and how fast.
type Config struct {
	BaseURL     string
	MerchantKey string
	Couriers    int
	Seed        uint64
	Speed       float64           // of the simulated time; 0 and 1 are real time. Speeds are not reported above 1
	Interval    time.Duration     // between two fixes on the move; 0 begins with 2 s and follows the server's next_report_s
	Transport   http.RoundTripper // carries the requests; nil opens connections of its own
	Log         *slog.Logger      // nil discards
	OnReady     func([]CourierRef, []DeliveryRef)
}

func (c *Config) validate() error {
	switch {
	case c.BaseURL == "":
		return errors.New("fleet: BaseURL is empty")
	case c.MerchantKey == "":
		return errors.New("fleet: MerchantKey is empty")
	case c.Couriers < 1:
		return fmt.Errorf("fleet: Couriers is %d, want at least 1", c.Couriers)
	case c.Speed < 0:
		return fmt.Errorf("fleet: Speed is %v, want more than 0", c.Speed)
	case c.Interval < 0:
		return fmt.Errorf("fleet: Interval is %v, want more than 0", c.Interval)
	}
	return nil
}

// CourierRef is a courier and the token its phone uses.
type CourierRef struct{ ID, Token, Name string }

// DeliveryRef is a delivery and its customer's link.
type DeliveryRef struct{ ID, TrackingToken, TrackingURL string }

// defaultInterval is how often a phone reports before the server has told it.
const defaultInterval = 2 * time.Second

// Fleet is a number of simulated couriers. Call Setup, then Run, each once.
type Fleet struct {
	cfg      Config
	follow   bool // the server's next_report_s decides the interval
	city     *City
	merchant *client.Client
	id       string // of this run: makes idempotency keys and sessions unique
	trouble  *complaints
	counts   counters
	board    board
	start    time.Time // of Run

	riders     []*rider      // by number; complete after Setup
	deliveries []DeliveryRef // made by Setup
}

// New prepares a fleet. It does not talk to the server yet.
func New(cfg Config) (*Fleet, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	city, err := LoadCity()
	if err != nil {
		return nil, err
	}
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{cfg: cfg, city: city, id: rand.Text()[:8], merchant: connect(cfg.BaseURL, cfg.MerchantKey, cfg.Transport)}
	if cfg.Interval == 0 {
		f.follow, f.cfg.Interval = true, defaultInterval
	}
	f.trouble = newComplaints(cfg.Log)
	return f, nil
}

func connect(baseURL, key string, transport http.RoundTripper) *client.Client {
	if transport == nil {
		return client.New(baseURL, key)
	}
	return client.NewWithTransport(baseURL, key, transport)
}

// random returns the source of courier number i, or of the board for -1. Each has its own, so that one does not change another's day.
func (f *Fleet) random(i int) *randv2.Rand {
	return randv2.New(randv2.NewPCG(f.cfg.Seed, uint64(i+2)))
}

// Couriers returns all couriers, once Setup is done.
func (f *Fleet) Couriers() []CourierRef {
	refs := make([]CourierRef, 0, len(f.riders))
	for _, r := range f.riders {
		refs = append(refs, r.ref)
	}
	return refs
}

// Deliveries returns the deliveries that Setup made, those of the first couriers first. The many that come later are
// not kept here.
func (f *Fleet) Deliveries() []DeliveryRef {
	return append([]DeliveryRef(nil), f.deliveries...)
}

// Stats returns what was done so far.
func (f *Fleet) Stats() Stats { return f.counts.read() }

// EndShifts puts all couriers off duty, for a fleet that leaves a server which stays.
func (f *Fleet) EndShifts(ctx context.Context) error {
	return inParallel(f.senders(), len(f.riders), func(i int) error { return f.riders[i].api.SetShift(ctx, false) })
}
