package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type boardBody struct {
	Day   string         `json:"day" example:"2026-03-04" doc:"In UTC"`
	AsOf  frame.Time     `json:"as_of"`
	Items []standingBody `json:"items" doc:"The best first: by what they delivered, then by the share that was on time"`
}

type standingBody struct {
	Rank        int      `json:"rank"`
	CourierID   string   `json:"courier_id"`
	Name        string   `json:"name" doc:"Empty while it cannot be looked up"`
	Delivered   int      `json:"delivered"`
	Promised    int      `json:"promised" doc:"Of those delivered, the ones whose window has an end"`
	OnTime      int      `json:"on_time" doc:"Of those promised, the ones delivered by then"`
	OnTimeShare *float64 `json:"on_time_share" doc:"on_time of promised; null when nothing was promised"`
}

func (s *Server) mountLeaderboard() {
	register(s, s.operation("Ops", "ops-leaderboard", http.MethodGet, "/v1/ops/leaderboard", "Couriers by deliveries completed on a day", tracking.RoleMerchant, tracking.RoleOps), s.leaderboard)
}

func (s *Server) leaderboard(ctx context.Context, in *struct {
	Day   string `query:"day" doc:"In UTC; today when left out" example:"2026-03-04"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
},
) (*out[boardBody], error) {
	day, err := parseDay(in.Day, s.Now())
	if err != nil {
		return nil, err
	}
	board, err := s.Board.Best(ctx, actorOf(ctx).MerchantID, day, in.Limit)
	if err != nil {
		return nil, err
	}
	body := boardBody{Day: board.Day.String(), AsOf: frame.Time(board.AsOf), Items: make([]standingBody, len(board.Standings))}
	for i, of := range board.Standings {
		item := standingBody{
			Rank: i + 1, CourierID: of.CourierID.String(), Name: of.Name, Delivered: of.Delivered, Promised: of.Promised, OnTime: of.OnTime,
		}
		if share, known := of.Share(); known {
			item.OnTimeShare = &share
		}
		body.Items[i] = item
	}
	return &out[boardBody]{body}, nil
}

// parseDay reads a day of a query; the empty text is today. Errors: CodeInvalid, also for a day to come, of which nothing can be said.
func parseDay(text string, now time.Time) (tracking.Day, error) {
	today := tracking.DayOf(now)
	if text == "" {
		return today, nil
	}
	day, err := tracking.ParseDay(text)
	switch {
	case err != nil, day.Start().Year() < 2000: // before that nobody delivered anything here
		return day, tracking.Invalid("query.day", "must be a day such as 2026-03-04")
	case day > today:
		return day, tracking.Invalid("query.day", "must not be after today, which is %s (UTC)", today)
	}
	return day, nil
}
