// Package osrm asks a server that speaks the HTTP API of OSRM, version 1, for ways along roads.
//
//	tracking.Roads ──> Router.Road ──> GET <URL>/route/v1/<profile>/lon,lat;lon,lat?overview=false
//
// Guarantees. An answer takes a second at most and is read up to 64 kB, whatever the server does; there are eight questions at once, and a ninth is
// refused. After a failure nothing is asked for a while, twice as long after each that follows, up to half a minute: so a server that is away costs
// its callers nothing. What it answers is believed only when it is a distance and a time, and when both ends of the way lie near a road.
//
// Concurrency: a Router is safe for concurrent use. It has no goroutines but those of its connections, which Close ends.
package osrm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"hotfoot/tracking"
)

const (
	limit      = time.Second
	most       = 8
	maxBody    = 64 << 10
	firstPause = 250 * time.Millisecond
	maxPause   = 30 * time.Second
	// maxSnap is how far in metres the end of a leg may lie from the road that the server took for it.
	maxSnap = 1000
)

var _ tracking.Router = (*Router)(nil)

// Router is one server.
type Router struct {
	name   string // as configured: a fragment, which no server is sent, tells one map from the next
	base   string
	client *http.Client
	places chan struct{}

	mu    sync.Mutex
	pause time.Duration // 0 while it answers
	until time.Time
}

// New makes a Router for an address such as http://osrm:5000. It does not wait for the server.
func New(address string) (*Router, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not an address such as http://osrm:5000", address)
	}
	u.Fragment = ""
	return &Router{
		name: address, base: strings.TrimSuffix(u.String(), "/"), places: make(chan struct{}, most),
		client: &http.Client{
			Timeout:       limit,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			// A small answer that unpacks into a large one would get past the bound.
			Transport: &http.Transport{DisableCompression: true, MaxConnsPerHost: most, MaxIdleConnsPerHost: most, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10},
		},
	}, nil
}

// Name implements tracking.Router.
func (r *Router) Name() string { return r.name }

// Close ends idle connections. Nothing may be under way.
func (r *Router) Close() { r.client.CloseIdleConnections() }

// Road implements tracking.Router.
func (r *Router) Road(ctx context.Context, leg tracking.Leg) (tracking.Road, error) {
	if err := r.allow(); err != nil {
		return tracking.Road{}, err
	}
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		return tracking.Road{}, &tracking.Error{Code: tracking.CodeOverloaded, Message: "too many ways are being looked up", RetryAfter: time.Second}
	}
	road, err := r.ask(ctx, leg)
	if errors.Is(err, context.Canceled) {
		return road, unavailable(err) // says nothing about the server
	}
	answered := err == nil || tracking.CodeOf(err) == tracking.CodeNotFound
	r.heard(answered)
	if !answered {
		err = unavailable(err)
	}
	return road, err
}

func unavailable(err error) error { return tracking.Unavailable("the routing server", err) }

var errPaused = errors.New("it did not answer lately and is not asked for a while")

func (r *Router) allow() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return unavailable(errPaused)
	}
	return nil
}

// heard notes whether there was an answer. Questions that were under way together and failed count as one.
func (r *Router) heard(answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch now := time.Now(); {
	case answered:
		r.pause, r.until = 0, time.Time{}
	case now.After(r.until):
		r.pause = min(max(2*r.pause, firstPause), maxPause)
		r.until = now.Add(r.pause/2 + rand.N(r.pause/2))
	}
}

func (r *Router) ask(ctx context.Context, leg tracking.Leg) (tracking.Road, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url(leg), nil)
	if err != nil {
		return tracking.Road{}, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return tracking.Road{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return tracking.Road{}, err
	}
	if len(body) > maxBody {
		return tracking.Road{}, fmt.Errorf("its answer has more than %d bytes", maxBody)
	}
	// "There is no road" comes with status 400, as faults of ours do; the body tells them apart.
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusBadRequest {
		return tracking.Road{}, fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	return parse(body)
}

func (r *Router) url(leg tracking.Leg) string {
	b := append(make([]byte, 0, 160), r.base...)
	b = append(b, "/route/v1/"...)
	b = append(b, profile(leg.Vehicle)...)
	for i, p := range []tracking.Spot{leg.From, leg.To} {
		b = append(b, "/;"[i])
		b = strconv.AppendFloat(b, p.Lon, 'f', 4, 64)
		b = append(b, ',')
		b = strconv.AppendFloat(b, p.Lat, 'f', 4, 64)
	}
	return string(append(b, "?overview=false"...))
}

// profile is OSRM's word for a vehicle, of the three that it comes with.
func profile(v tracking.Vehicle) string {
	switch v {
	case tracking.Foot:
		return "foot"
	case tracking.Bike:
		return "bike"
	default:
		return "car"
	}
}

var errNoRoad = tracking.Errorf(tracking.CodeNotFound, "no road leads there")

// parse reads an answer.
func parse(body []byte) (tracking.Road, error) {
	var answer struct {
		Code   string `json:"code"`
		Routes []struct {
			Distance *float64 `json:"distance"` // metres
			Duration *float64 `json:"duration"` // seconds
		} `json:"routes"`
		Waypoints []struct {
			Distance float64 `json:"distance"` // metres from where it was asked for
		} `json:"waypoints"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return tracking.Road{}, fmt.Errorf("its answer cannot be read: %w", err)
	}
	switch answer.Code {
	case "Ok":
	case "NoRoute", "NoSegment":
		return tracking.Road{}, errNoRoad
	default:
		return tracking.Road{}, fmt.Errorf("it answered with code %.40q", answer.Code)
	}
	for _, w := range answer.Waypoints {
		if w.Distance > maxSnap {
			return tracking.Road{}, errNoRoad
		}
	}
	if len(answer.Routes) == 0 || answer.Routes[0].Distance == nil || answer.Routes[0].Duration == nil {
		return tracking.Road{}, errors.New("its answer has no route")
	}
	// Once round the earth, and a year: what is beyond is no answer.
	distance, seconds := *answer.Routes[0].Distance, *answer.Routes[0].Duration
	if !(distance >= 0 && distance <= 4e7) || !(seconds >= 0 && seconds <= 366*24*3600) {
		return tracking.Road{}, fmt.Errorf("its answer is %g m in %g s", distance, seconds)
	}
	return tracking.Road{DistanceM: distance, Duration: time.Duration(seconds * float64(time.Second))}, nil
}
