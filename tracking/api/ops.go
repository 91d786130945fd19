package api

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// OpsQueries is what dispatchers ask of the truth. Errors: CodeUnavailable.
type OpsQueries interface {
	Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error)
	Counts(ctx context.Context, merchant tracking.ID, now, midnight time.Time) (tracking.Counts, error)
	// Summary sums up the day that began at midnight UTC.
	Summary(ctx context.Context, merchant tracking.ID, midnight time.Time) (tracking.Summary, error)
}

// HotQueries is what dispatchers ask of the hot store. Errors: CodeUnavailable.
type HotQueries interface {
	NewestOf(ctx context.Context, couriers []tracking.ID) ([]*tracking.Position, error)
	Near(ctx context.Context, merchant tracking.ID, lat, lon, radiusM float64, limit int) ([]tracking.Nearby, error)
}

// maxFleet bounds what one answer lists; the live map goes beyond it in frames.
const maxFleet = 5000

type fleetCourier struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Vehicle     string   `json:"vehicle"`
	Phone       *string  `json:"phone"`
	OnDuty      bool     `json:"on_duty"`
	Position    rawJSON  `json:"position" doc:"Newest fix; null when none is known"`
	Stops       int      `json:"stops"`
	DeliveryIDs []string `json:"delivery_ids" doc:"Unfinished deliveries, in the order of the route"`
	DistanceM   *float64 `json:"distance_m,omitempty"`
}

func (s *Server) mountOps() {
	merchant, ops := tracking.RoleMerchant, tracking.RoleOps
	register(s, s.operation("Ops", "ops-couriers", http.MethodGet, "/v1/ops/couriers", "Couriers on duty, nearest first when near is given", merchant, ops), s.opsCouriers)
	register(s, s.operation("Ops", "ops-stats", http.MethodGet, "/v1/ops/stats", "The numbers of the moment", merchant, ops), s.opsStats)
	register(s, s.operation("Ops", "ops-summary", http.MethodGet, "/v1/ops/summary", "What became of a day's deliveries", merchant, ops), s.opsSummary)
}

func (s *Server) opsCouriers(ctx context.Context, in *struct {
	Near    string  `query:"near" doc:"lat,lon" example:"37.7812,-122.4112"`
	RadiusM float64 `query:"radius_m" minimum:"1" maximum:"100000" default:"5000"`
	Limit   int     `query:"limit" minimum:"1" maximum:"5000" default:"1000"`
},
) (*aged[page[fleetCourier]], error) {
	if math.IsNaN(in.RadiusM) { // which no minimum and no maximum keeps out
		return nil, tracking.Invalid("query.radius_m", "must be a number")
	}
	merchant := actorOf(ctx).MerchantID
	fleet, answer, err := askJSON(ctx, s, tracking.Question{Computation: fleetComputed, Segment: merchant}, func(ctx context.Context) ([]fleetCourier, error) {
		return s.fleet(ctx, merchant)
	})
	if err != nil {
		return nil, err
	}
	if in.Near != "" {
		lat, lon, err := parsePlace("near", in.Near)
		if err != nil {
			return nil, err
		}
		near, err := s.Hot.Near(ctx, merchant, lat, lon, in.RadiusM, in.Limit)
		if err != nil {
			return nil, err
		}
		fleet = nearest(fleet, near)
	}
	// The list is everybody's; where its couriers are is not in it.
	listed := slices.Clone(fleet[:min(len(fleet), in.Limit)])
	ids := make([]tracking.ID, len(listed))
	for i := range listed {
		if ids[i], err = tracking.ParseID(listed[i].ID); err != nil {
			return nil, err
		}
	}
	newest, err := s.Hot.NewestOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, p := range newest {
		listed[i].Position = rawJSON("null")
		if p != nil {
			listed[i].Position = frame.PositionObject(*p)
		}
	}
	return agedOut(page[fleetCourier]{Items: listed}, answer), nil
}

// fleet lists a merchant's couriers on duty and what they carry, but not where they are.
func (s *Server) fleet(ctx context.Context, merchant tracking.ID) ([]fleetCourier, error) {
	onDuty := true
	couriers, err := s.Deps.Couriers.Couriers(ctx, merchant, &onDuty, tracking.ID{}, maxFleet)
	if err != nil {
		return nil, err
	}
	active, err := s.Ops.Active(ctx, merchant, maxFleet)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(active, func(a, b tracking.Record) int { return cmp.Compare(a.Delivery.RouteOrder, b.Delivery.RouteOrder) })
	carrying := map[tracking.ID][]string{}
	for _, r := range active {
		if id := r.Delivery.CourierID; !id.IsZero() {
			carrying[id] = append(carrying[id], r.Delivery.ID.String())
		}
	}
	fleet := make([]fleetCourier, len(couriers))
	for i, c := range couriers {
		fleet[i] = fleetCourier{
			ID: c.ID.String(), Name: c.Name, Vehicle: string(c.Vehicle), Phone: orNull(c.Phone), OnDuty: c.OnDuty, Stops: len(carrying[c.ID]), Position: rawJSON("null"),
			DeliveryIDs: append([]string{}, carrying[c.ID]...),
		}
	}
	return fleet, nil
}

// nearest keeps the couriers that were found near, in that order, with how far away they are.
func nearest(fleet []fleetCourier, near []tracking.Nearby) []fleetCourier {
	at := make(map[string]int, len(fleet))
	for i, c := range fleet {
		at[c.ID] = i
	}
	found := make([]fleetCourier, 0, len(near))
	for _, n := range near {
		if i, ok := at[n.CourierID.String()]; ok {
			c := fleet[i]
			c.DistanceM = &n.DistanceM
			found = append(found, c)
		}
	}
	return found
}

// parsePlace reads a place of a query, whose error names the parameter.
func parsePlace(parameter, text string) (lat, lon float64, err error) {
	latText, lonText, ok := strings.Cut(text, ",")
	lat, err1 := strconv.ParseFloat(latText, 64)
	lon, err2 := strconv.ParseFloat(lonText, 64)
	if !ok || err1 != nil || err2 != nil || !(lat >= -90 && lat <= 90) || !(lon >= -180 && lon <= 180) {
		return 0, 0, tracking.Invalid("query."+parameter, "must be lat,lon in degrees, such as 37.7812,-122.4112")
	}
	return lat, lon, nil
}

type statsBody struct {
	CouriersOnDuty int `json:"couriers_on_duty"`
	Active         int `json:"active" doc:"Unfinished deliveries, in the order of the route"`
	Late           int `json:"late" doc:"Unfinished deliveries whose window has passed"`
	Silent         int `json:"silent" doc:"Couriers on duty with a route and without a fix in the last two minutes"`
	Unassigned     int `json:"unassigned"`
	DeliveredToday int `json:"delivered_today" doc:"Since midnight UTC"`
}

func (s *Server) opsStats(ctx context.Context, _ *struct{}) (*aged[statsBody], error) {
	merchant := actorOf(ctx).MerchantID
	stats, answer, err := askJSON(ctx, s, tracking.Question{Computation: statsComputed, Segment: merchant}, func(ctx context.Context) (statsBody, error) {
		return s.stats(ctx, merchant)
	})
	if err != nil {
		return nil, err
	}
	return agedOut(stats, answer), nil
}

func (s *Server) stats(ctx context.Context, merchant tracking.ID) (statsBody, error) {
	now := s.Now()
	counts, err := s.Ops.Counts(ctx, merchant, now, now.UTC().Truncate(24*time.Hour))
	if err != nil {
		return statsBody{}, err
	}
	silent, err := s.silent(ctx, merchant, now)
	return statsBody{
		CouriersOnDuty: counts.CouriersOnDuty, Active: counts.Active, Late: counts.Late, Silent: silent,
		Unassigned: counts.Unassigned, DeliveredToday: counts.DeliveredToday,
	}, err
}

// silent counts the couriers who have something to deliver and have not been heard of.
func (s *Server) silent(ctx context.Context, merchant tracking.ID, now time.Time) (int, error) {
	active, err := s.Ops.Active(ctx, merchant, maxFleet)
	if err != nil {
		return 0, err
	}
	seen := map[tracking.ID]bool{}
	var couriers []tracking.ID
	for _, r := range active {
		if r.Delivery.Status.OnRoute() && r.Courier.OnDuty && !seen[r.Courier.ID] {
			seen[r.Courier.ID] = true
			couriers = append(couriers, r.Courier.ID)
		}
	}
	newest, err := s.Hot.NewestOf(ctx, couriers)
	if err != nil {
		return 0, err
	}
	silent := 0
	for _, p := range newest {
		if p == nil || now.Sub(p.RecordedAt) > tracking.SilentAfter {
			silent++
		}
	}
	return silent, nil
}
