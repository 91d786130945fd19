package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

type (
	viewerBody struct {
		DeliveryID  string     `json:"delivery_id"`
		Visible     bool       `json:"visible" doc:"This customer can see where you are"`
		Why         string     `json:"why" enum:"on_the_way,status,not_arriving,stops_before,off_duty,finished" doc:"on_the_way: visible, since you are on the way to their door and near enough; else why you are not"`
		Status      string     `json:"status"`
		StopsBefore *int       `json:"stops_before"`
		Since       frame.Time `json:"since" doc:"Since when you are on the way to their door, or null; you may have come into view later"`
		RoundedM    int        `json:"rounded_m,omitempty" doc:"They see no more than the middle of a cell so many metres wide"`
		DelayS      int        `json:"delay_s,omitempty" doc:"They see where you were so many seconds ago"`
		Viewers     *int       `json:"viewers" doc:"How many are watching; null, since nobody counts them over all nodes"`
	}
	dispatchersBody struct {
		Visible bool   `json:"visible" doc:"Dispatchers and your merchant can see where you are: always while you are on duty, hidden zones included"`
		Why     string `json:"why" enum:"on_duty,off_duty"`
	}
	viewersBody struct {
		Items       []viewerBody    `json:"items" nullable:"false"`
		Dispatchers dispatchersBody `json:"dispatchers"`
		HiddenZones int             `json:"hidden_zones" doc:"In how many zones no customer sees you, whatever it says above"`
	}
)

func (s *Server) mountViewers() {
	register(s, s.operation("Courier app", "get-viewers", http.MethodGet, "/v1/courier/viewers", "Who can see me now, and why", tracking.RoleCourier), s.myViewers)
}

func (s *Server) myViewers(ctx context.Context, _ *struct{}) (*out[viewersBody], error) {
	actor := actorOf(ctx)
	me, err := s.Deps.Couriers.Courier(ctx, actor.MerchantID, actor.CourierID)
	if err != nil {
		return nil, err
	}
	route, err := s.Deps.Couriers.Route(ctx, actor.CourierID)
	if err != nil {
		return nil, err
	}
	body := viewersBody{Items: make([]viewerBody, len(route)), Dispatchers: dispatchersBody{me.OnDuty, "off_duty"}, HiddenZones: len(me.HiddenZones)}
	if me.OnDuty {
		body.Dispatchers.Why = "on_duty"
	}
	since, err := s.underwaySince(ctx, route)
	if err != nil {
		return nil, err
	}
	for i := range route {
		body.Items[i] = viewerOf(&route[i], since[route[i].Delivery.ID])
	}
	return &out[viewersBody]{body}, nil
}

// underwaySince is since when the courier is on the way to each door, of those that they are on the way to.
func (s *Server) underwaySince(ctx context.Context, route []tracking.Record) (map[tracking.ID]time.Time, error) {
	var ids []tracking.ID
	for i := range route {
		if route[i].Delivery.Status.Underway() {
			ids = append(ids, route[i].Delivery.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	whole, err := s.Deps.Couriers.Records(ctx, ids) // with their events, which a route is read without
	since := make(map[tracking.ID]time.Time, len(whole))
	for i := range whole {
		since[whole[i].Delivery.ID] = whole[i].UnderwaySince()
	}
	return since, err
}

func viewerOf(r *tracking.Record, since time.Time) viewerBody {
	d := &r.Delivery
	ground := tracking.Visibility(d, r.Courier.OnDuty, &r.Merchant)
	body := viewerBody{
		DeliveryID: d.ID.String(), Visible: ground == tracking.OnTheWay, Why: string(ground), Status: string(d.Status), Since: frame.Time(since),
		DelayS: int(r.Merchant.Delay / time.Second),
	}
	if d.Status.OnRoute() {
		body.StopsBefore = &d.StopsBefore
	}
	if d.StopsBefore > 0 {
		body.RoundedM = r.Merchant.RoundingM
	}
	return body
}
