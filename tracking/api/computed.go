package api

import (
	"context"
	"encoding/json"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

// What is computed and kept. Whoever has changed something must find it in their lists at once; numbers and the fleet may be a little old, so that a busy
// merchant's are not computed again with each change.
var (
	routeComputed  = &tracking.Computation{Name: "route", Life: 10 * time.Minute, AtOnce: 8}
	activeComputed = &tracking.Computation{Name: "active", Life: time.Minute, AtOnce: 8}
	statsComputed  = &tracking.Computation{Name: "stats", Life: 5 * time.Second, Rest: time.Second, Grace: 4 * time.Second, AtOnce: 4}
	fleetComputed  = &tracking.Computation{Name: "fleet", Life: 10 * time.Second, Rest: time.Second, Grace: 4 * time.Second, AtOnce: 4}
	todayComputed  = &tracking.Computation{Name: "today", Life: 15 * time.Second, Rest: 5 * time.Second, Grace: 10 * time.Second, AtOnce: 4}
	// A day that is over changes little, but is read with all the others of a month.
	dayComputed = &tracking.Computation{Name: "day", Life: time.Hour, Rest: time.Minute, Grace: time.Minute, AtOnce: 4}
)

// Computations are all that Deps.Answers must know of.
var Computations = []*tracking.Computation{routeComputed, activeComputed, statsComputed, fleetComputed, todayComputed, dayComputed}

// aged is an answer with a body that may have been kept, and says so (RFC 9111, section 5.1, and RFC 9211).
type aged[T any] struct {
	Age         string `header:"Age" doc:"Seconds since it was computed"`
	CacheStatus string `header:"Cache-Status" doc:"Where it was found: hotfoot; hit, or why not" example:"hotfoot; hit"`
	Body        T
}

func agedOut[T any](body T, answer tracking.Answer) *aged[T] {
	return &aged[T]{Age: strconv.Itoa(int(answer.Age / time.Second)), CacheStatus: cacheStatus[answer.Source], Body: body}
}

var cacheStatus = map[tracking.Source]string{
	tracking.FromMemory: "hotfoot; hit; detail=memory",
	tracking.FromHot:    "hotfoot; hit",
	tracking.FromStale:  "hotfoot; hit; detail=stale",
	tracking.Computed:   "hotfoot; fwd=miss",
	tracking.Collapsed:  "hotfoot; fwd=miss; collapsed",
	tracking.Uncached:   "hotfoot; fwd=miss; detail=uncached",
	tracking.AskedAgain: "hotfoot; fwd=request",
}

// askRecords asks for a list of records.
func (s *Server) askRecords(ctx context.Context, q tracking.Question, compute func(context.Context) ([]tracking.Record, error)) ([]tracking.Record, tracking.Answer, error) {
	return tracking.Ask(ctx, s.Answers, q, wire.MarshalRecords, wire.Records, compute)
}

// askJSON asks for something that is kept as JSON.
func askJSON[T any](ctx context.Context, s *Server, q tracking.Question, compute func(context.Context) (T, error)) (T, tracking.Answer, error) {
	encode := func(v T) ([]byte, error) { return json.Marshal(v) }
	decode := func(b []byte) (v T, err error) { return v, json.Unmarshal(b, &v) }
	return tracking.Ask(ctx, s.Answers, q, encode, decode, compute)
}

// wantsAgain reads Cache-Control of a request.
func wantsAgain(control string) bool {
	for directive := range strings.SplitSeq(control, ",") {
		if strings.EqualFold(textproto.TrimString(directive), "no-cache") {
			return true
		}
	}
	return false
}
