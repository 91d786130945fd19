package api

import (
	"context"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type summaryBody struct {
	Day            string     `json:"day" example:"2026-11-29" doc:"Of UTC"`
	Created        int        `json:"created" doc:"Deliveries made on the day; the next five say how they stand now"`
	Delivered      int        `json:"delivered"`
	Failed         int        `json:"failed"`
	Cancelled      int        `json:"cancelled"`
	Returned       int        `json:"returned"`
	InProgress     int        `json:"in_progress"`
	OnTime         int        `json:"on_time" doc:"Delivered by the end of their window"`
	Late           int        `json:"late" doc:"Delivered after it"`
	OnTimeShare    *float64   `json:"on_time_share" doc:"on_time of both, 0 to 1; null without any"`
	ActiveCouriers int        `json:"active_couriers" doc:"Couriers with a position on the day, or an event of these deliveries"`
	MedianMinutes  *float64   `json:"median_minutes" doc:"From made to delivered; null when none was"`
	P90Minutes     *float64   `json:"p90_minutes"`
	AsOf           frame.Time `json:"as_of" doc:"When it was computed"`
}

type summaryQuery struct {
	Day          string `query:"day" doc:"YYYY-MM-DD, UTC; today when left out" example:"2026-11-29"`
	CacheControl string `header:"Cache-Control" doc:"no-cache has it computed now"`
}

// A day of a large merchant takes longer than other answers, and who wants it computed anew may have to wait for others who do.
const (
	summaryPatience = 3 * time.Second
	againPatience   = 8 * time.Second
)

func (q *summaryQuery) patience() time.Duration {
	if wantsAgain(q.CacheControl) {
		return againPatience
	}
	return summaryPatience
}

func (s *Server) opsSummary(ctx context.Context, in *summaryQuery) (*aged[summaryBody], error) {
	now := s.Now()
	day, err := parseDay(in.Day, now)
	if err != nil {
		return nil, err
	}
	q := tracking.Question{Computation: dayComputed, Segment: actorOf(ctx).MerchantID, Arguments: day.String(), Again: wantsAgain(in.CacheControl)}
	if day == tracking.DayOf(now) {
		q.Computation = todayComputed
	}
	sum, answer, err := askJSON(ctx, s, q, func(ctx context.Context) (tracking.Summary, error) { return s.Ops.Summary(ctx, q.Segment, day.Start()) })
	if err != nil {
		return nil, err
	}
	body := summaryBody{
		Day: q.Arguments, Created: sum.Created, Delivered: sum.Delivered, Failed: sum.Failed, Cancelled: sum.Cancelled, Returned: sum.Returned,
		InProgress: sum.InProgress, OnTime: sum.OnTime, Late: sum.Late, ActiveCouriers: sum.ActiveCouriers,
		MedianMinutes: sum.Median, P90Minutes: sum.P90, AsOf: frame.Time(sum.AsOf),
	}
	if share, ok := sum.OnTimeShare(); ok {
		body.OnTimeShare = &share
	}
	return agedOut(body, answer), nil
}
