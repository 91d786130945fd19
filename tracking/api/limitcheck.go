package api

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// LimitQueries are counts of decisions that were made. Errors: CodeUnavailable.
type LimitQueries interface {
	LimitCounts(ctx context.Context, merchant tracking.ID, f tracking.LimitFilter) ([]tracking.LimitCount, error)
}

const opCheckLimit = "check-limit"

type (
	policyBody struct {
		Kind    string `json:"kind" enum:"fixed_window,sliding_window,token_bucket"`
		Limit   int64  `json:"limit" minimum:"1" maximum:"1000000" doc:"How much each period allows"`
		PeriodS int64  `json:"period_s" minimum:"1" maximum:"2678400" doc:"Seconds"`
		Burst   int64  `json:"burst,omitempty" minimum:"1" maximum:"1000000" doc:"Of a token_bucket: how much may come at once; its limit when it is not given"`
	}
	checkBody struct {
		Policy policyBody `json:"policy" doc:"Another policy counts anew, also for the same key"`
		Key    string     `json:"key" minLength:"1" maxLength:"512" doc:"Whose count it is: any text of yours, up to 512 bytes of UTF-8"`
		Cost   int64      `json:"cost,omitempty" minimum:"1" maximum:"1000000" default:"1"`
	}
	decisionBody struct {
		Allowed     bool    `json:"allowed"`
		Limit       int64   `json:"limit" doc:"The most that the policy allows at once"`
		Remaining   int64   `json:"remaining"`
		ResetS      float64 `json:"reset_s" doc:"Seconds until all of it is there again, if nobody takes any"`
		RetryAfterS float64 `json:"retry_after_s" doc:"Seconds until what was refused could be had; 0 when it was allowed"`
	}
	limitCountBody struct {
		Minute  frame.Time `json:"minute"`
		Policy  policyBody `json:"policy"`
		KeyHash string     `json:"key_hash" doc:"The first 16 bytes of the key's SHA-256, in hex"`
		Allowed int64      `json:"allowed"`
		Refused int64      `json:"refused"`
	}
)

func (s *Server) mountLimits() {
	check := s.operation("Limits", opCheckLimit, http.MethodPost, "/v1/limits/check", "May this happen now? A rate limit for your own services", tracking.RoleMerchant)
	check.Description = "Takes of a limit that all who ask with your keys share, or nothing when less is left. A refusal is an answer: 200 with allowed false."
	register(s, check, s.checkLimit)
	register(s, s.operation("Limits", "limit-decisions", http.MethodGet, "/v1/limits/decisions",
		"How many decisions were made, by minute, policy and key; those of the last seconds may be missing", tracking.RoleMerchant), s.limitDecisions)
}

func (s *Server) checkLimit(ctx context.Context, in *struct{ Body checkBody }) (*out[decisionBody], error) {
	p := tracking.LimitPolicy{
		Kind: tracking.LimitKind(in.Body.Policy.Kind), Limit: in.Body.Policy.Limit, Period: time.Duration(in.Body.Policy.PeriodS) * time.Second, Burst: in.Body.Policy.Burst,
	}
	d, err := s.Checks.Check(ctx, actorOf(ctx).MerchantID, p, in.Body.Key, in.Body.Cost)
	if err != nil {
		return nil, err
	}
	return &out[decisionBody]{decisionBody{
		Allowed: d.Allowed, Limit: d.Limit, Remaining: d.Remaining, ResetS: d.Reset.Seconds(), RetryAfterS: d.RetryAfter.Seconds(),
	}}, nil
}

// decisionsReach is how much time one list of decisions may cover.
const decisionsReach = 7 * 24 * time.Hour

func (s *Server) limitDecisions(ctx context.Context, in *struct {
	From   time.Time `query:"from" required:"true" doc:"The first minute"`
	To     time.Time `query:"to" required:"true" doc:"The first minute that is no longer asked for; at most 7 days later"`
	Cursor string    `query:"cursor" maxLength:"64"`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
},
) (*out[page[limitCountBody]], error) {
	if !in.To.After(in.From) || in.To.Sub(in.From) > decisionsReach {
		return nil, tracking.Invalid("query.to", "must be after from, and at most 7 days later")
	}
	f := tracking.LimitFilter{From: in.From, To: in.To, Limit: in.Limit + 1}
	if in.Cursor != "" {
		var ok bool
		if f.AfterMinute, f.AfterSubject, ok = parseLimitCursor(in.Cursor); !ok {
			return nil, tracking.Invalid("query.cursor", "is not one of ours")
		}
	}
	counts, err := s.Counts.LimitCounts(ctx, actorOf(ctx).MerchantID, f)
	if err != nil {
		return nil, err
	}
	p := page[limitCountBody]{Items: make([]limitCountBody, 0, min(len(counts), in.Limit))}
	for i, c := range counts {
		if i == in.Limit {
			cursor := limitCursor(counts[i-1])
			p.NextCursor = &cursor
			break
		}
		p.Items = append(p.Items, limitCountBody{
			Minute: frame.Time(c.Minute), KeyHash: hex.EncodeToString(c.KeyHash[:]), Allowed: c.Allowed, Refused: c.Refused,
			Policy: policyBody{Kind: string(c.Policy.Kind), Limit: c.Policy.Limit, PeriodS: int64(c.Policy.Period / time.Second), Burst: c.Policy.Burst},
		})
	}
	return &out[page[limitCountBody]]{p}, nil
}

// A cursor is a minute, Unix seconds, and a subject.
func limitCursor(c tracking.LimitCount) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 24), uint64(c.Minute.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.Subject[:]...))
}

func parseLimitCursor(text string) (minute time.Time, subject tracking.LimitSubject, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 8+len(subject) {
		return minute, subject, false
	}
	at := int64(binary.BigEndian.Uint64(b))
	copy(subject[:], b[8:])
	// Postgres' years end in 294276, and ours before.
	return time.Unix(at, 0).UTC(), subject, at > 0 && at < 1<<37
}
