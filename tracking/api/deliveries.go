package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// DeliveryQueries are the lists about deliveries; they come from the truth. Errors: CodeNotFound, CodeUnavailable.
type DeliveryQueries interface {
	Deliveries(ctx context.Context, merchant tracking.ID, f tracking.Filter) ([]tracking.Record, error)
	Events(ctx context.Context, merchant, delivery tracking.ID) ([]tracking.Event, error)
	Track(ctx context.Context, courier tracking.ID, from, to time.Time, suspects bool, limit int) ([]tracking.Position, error)
}

type (
	placeBody struct {
		Lat     float64 `json:"lat" minimum:"-90" maximum:"90" doc:"WGS 84 degrees" example:"37.7812"`
		Lon     float64 `json:"lon" minimum:"-180" maximum:"180" example:"-122.4112"`
		Address string  `json:"address,omitempty" maxLength:"500"`
		Name    string  `json:"name,omitempty" maxLength:"200"`
	}
	recipientBody struct {
		Name  string `json:"name" maxLength:"200"`
		Phone string `json:"phone,omitempty" maxLength:"40"`
	}
	windowBody struct {
		From *time.Time `json:"from,omitempty"`
		To   *time.Time `json:"to,omitempty"`
	}
	draftBody struct {
		ExternalID string         `json:"external_id,omitempty" maxLength:"200" doc:"Your own number; unique among your deliveries"`
		Pickup     placeBody      `json:"pickup"`
		Dropoff    placeBody      `json:"dropoff"`
		Recipient  *recipientBody `json:"recipient,omitempty"`
		Window     *windowBody    `json:"window,omitempty" doc:"When you promised to deliver"`
		CourierID  string         `json:"courier_id,omitempty" doc:"Creates and assigns in one"`
		Note       string         `json:"note,omitempty" maxLength:"2000"`
	}
	courierBrief struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Vehicle string `json:"vehicle"`
	}
	deliveryBody struct {
		ID            string         `json:"id"`
		ExternalID    *string        `json:"external_id"`
		Status        string         `json:"status"`
		Ver           int64          `json:"ver" doc:"Number of the newest event: 1, 2, 3 … without holes"`
		Epoch         int64          `json:"epoch"`
		CourierID     *string        `json:"courier_id"`
		Courier       *courierBrief  `json:"courier"`
		StopsBefore   *int           `json:"stops_before" doc:"Unfinished stops of the courier that come first"`
		Pickup        placeBody      `json:"pickup"`
		Dropoff       placeBody      `json:"dropoff"`
		Recipient     *recipientBody `json:"recipient"`
		Window        *frame.Window  `json:"window"`
		Note          *string        `json:"note"`
		TrackingToken string         `json:"tracking_token,omitempty"`
		TrackingURL   string         `json:"tracking_url,omitempty"`
		CreatedAt     frame.Time     `json:"created_at"`
		UpdatedAt     frame.Time     `json:"updated_at"`
		FinishedAt    frame.Time     `json:"finished_at"`
	}
	proofBody struct {
		LeftAt string `json:"left_at,omitempty" maxLength:"200"`
		Name   string `json:"name,omitempty" maxLength:"200"`
	}
	actorBody struct {
		Kind string  `json:"kind"`
		ID   *string `json:"id,omitempty"`
	}
	eventBody struct {
		Ver       int64      `json:"ver"`
		Status    string     `json:"status"`
		At        frame.Time `json:"at"`
		DeviceAt  frame.Time `json:"device_at"`
		Actor     actorBody  `json:"actor"`
		CourierID *string    `json:"courier_id"`
		Reason    string     `json:"reason,omitempty"`
		Proof     *proofBody `json:"proof,omitempty"`
	}
	deliveryPath struct {
		ID string `path:"id"`
	}
)

func (s *Server) mountDeliveries() {
	merchant, ops := tracking.RoleMerchant, tracking.RoleOps
	create := s.operation("Deliveries", "create-delivery", http.MethodPost, "/v1/deliveries", "Create a delivery", merchant, ops)
	create.DefaultStatus = http.StatusCreated
	register(s, create, s.createDelivery)
	register(s, s.operation("Deliveries", "list-deliveries", http.MethodGet, "/v1/deliveries", "List deliveries, newest first", merchant, ops), s.listDeliveries)
	register(s, s.operation("Deliveries", "get-delivery", http.MethodGet, "/v1/deliveries/{id}", "One delivery", merchant, ops), s.getDelivery)
	register(s, s.operation("Deliveries", "list-events", http.MethodGet, "/v1/deliveries/{id}/events", "Its events in order", merchant, ops), s.listEvents)
	register(s, s.operation("Deliveries", "get-track", http.MethodGet, "/v1/deliveries/{id}/track", "The way the courier went, as GeoJSON", merchant, ops), s.getTrack)
	register(s, s.operation("Deliveries", "assign", http.MethodPost, "/v1/deliveries/{id}/assign", "Give it to a courier", merchant, ops), s.assign)
	register(s, s.operation("Deliveries", "unassign", http.MethodPost, "/v1/deliveries/{id}/unassign", "Take it back from its courier", merchant, ops), s.unassign)
	register(s, s.operation("Deliveries", "cancel", http.MethodPost, "/v1/deliveries/{id}/cancel", "Cancel it", merchant, ops), s.cancel)
}

func (s *Server) createDelivery(ctx context.Context, in *struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"The same key and body again answers the same delivery"`
	Body           draftBody
},
) (*out[deliveryBody], error) {
	courier, err := parseBodyID("courier_id", in.Body.CourierID)
	if err != nil {
		return nil, err
	}
	draft := tracking.Draft{
		ExternalID: in.Body.ExternalID, Pickup: tracking.Place(in.Body.Pickup), Dropoff: tracking.Place(in.Body.Dropoff),
		Note: in.Body.Note, CourierID: courier,
	}
	if r := in.Body.Recipient; r != nil {
		draft.Recipient = tracking.Recipient(*r)
	}
	if w := in.Body.Window; w != nil {
		draft.Window = tracking.Window{From: deref(w.From), To: deref(w.To)}
	}
	once := tracking.Once{Key: in.IdempotencyKey}
	if once.Key != "" {
		// What was understood is hashed, not the bytes: a retry may order its keys differently.
		body, err := json.Marshal(in.Body)
		if err != nil {
			return nil, err
		}
		once.Hash = tracking.HashOf(body)
	}
	record, err := s.Dispatch.Create(ctx, actorOf(ctx), draft, once)
	return s.deliveryOut(record, err)
}

func (s *Server) listDeliveries(ctx context.Context, in *struct {
	Status    string `query:"status" doc:"One or more statuses, comma-separated" example:"assigned,en_route"`
	CourierID string `query:"courier_id"`
	Cursor    string `query:"cursor"`
	Limit     int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
},
) (*aged[page[deliveryBody]], error) {
	filter := tracking.Filter{Limit: in.Limit + 1}
	var err error
	if filter.Courier, err = parseBodyID("query.courier_id", in.CourierID); err != nil {
		return nil, err
	}
	if filter.Before, err = parseBodyID("query.cursor", in.Cursor); err != nil {
		return nil, err
	}
	if in.Status != "" {
		for text := range strings.SplitSeq(in.Status, ",") {
			status := tracking.Status(text)
			if !status.Known() {
				return nil, tracking.Invalid("query.status", "unknown status %q", text)
			}
			filter.Statuses = append(filter.Statuses, status)
		}
	}
	records, answer, err := s.list(ctx, actorOf(ctx).MerchantID, filter)
	if err != nil {
		return nil, err
	}
	cursorOf := func(r tracking.Record) string { return r.Delivery.ID.String() }
	listed := &aged[page[deliveryBody]]{Body: pageOf(records, in.Limit, cursorOf, s.delivery)}
	if answer.Source != "" {
		listed = agedOut(listed.Body, answer)
	}
	return listed, nil
}

// list keeps first pages of what is in some status, which screens ask for again and again. Others go by the index and are seldom asked for twice.
func (s *Server) list(ctx context.Context, merchant tracking.ID, f tracking.Filter) ([]tracking.Record, tracking.Answer, error) {
	read := func(ctx context.Context) ([]tracking.Record, error) {
		return s.Deps.Deliveries.Deliveries(ctx, merchant, f)
	}
	if len(f.Statuses) == 0 || !f.Before.IsZero() {
		records, err := read(ctx)
		return records, tracking.Answer{}, err
	}
	statuses := slices.Sorted(slices.Values(f.Statuses))
	asked := fmt.Sprint(slices.Compact(statuses), f.Courier, f.Limit)
	return s.askRecords(ctx, tracking.Question{Computation: activeComputed, Segment: merchant, Arguments: asked}, read)
}

// own reads a delivery's record, hot, and hides it from every other merchant.
func (s *Server) own(ctx context.Context, idText string) (tracking.Record, error) {
	id, err := parseID(idText, "delivery")
	if err != nil {
		return tracking.Record{}, err
	}
	record, err := s.Records.Record(ctx, id)
	if err == nil && record.Delivery.MerchantID != actorOf(ctx).MerchantID {
		err = tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return record, err
}

func (s *Server) getDelivery(ctx context.Context, in *deliveryPath) (*out[deliveryBody], error) {
	record, err := s.own(ctx, in.ID)
	return s.deliveryOut(record, err)
}

func (s *Server) listEvents(ctx context.Context, in *deliveryPath) (*out[page[eventBody]], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	events, err := s.Deps.Deliveries.Events(ctx, actorOf(ctx).MerchantID, id)
	if err != nil {
		return nil, err
	}
	p := page[eventBody]{Items: make([]eventBody, len(events))}
	for i, e := range events {
		p.Items[i] = eventOut(e)
	}
	return &out[page[eventBody]]{p}, nil
}

func (s *Server) assign(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		CourierID string `json:"courier_id"`
		Position  *int   `json:"position,omitempty" minimum:"0" doc:"Index in the courier's route; the end when left out"`
	}
},
) (*out[deliveryBody], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	courier, err := parseBodyID("courier_id", in.Body.CourierID)
	if err == nil && courier.IsZero() {
		err = tracking.Invalid("courier_id", "must not be empty")
	}
	if err != nil {
		return nil, err
	}
	record, err := s.Dispatch.Assign(ctx, actorOf(ctx), id, courier, in.Body.Position)
	return s.deliveryOut(record, err)
}

func (s *Server) unassign(ctx context.Context, in *deliveryPath) (*out[deliveryBody], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	record, err := s.Dispatch.Unassign(ctx, actorOf(ctx), id)
	return s.deliveryOut(record, err)
}

func (s *Server) cancel(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"500"`
	}
},
) (*out[deliveryBody], error) {
	id, err := parseID(in.ID, "delivery")
	if err != nil {
		return nil, err
	}
	record, err := s.Dispatch.Cancel(ctx, actorOf(ctx), id, in.Body.Reason)
	return s.deliveryOut(record, err)
}

func (s *Server) deliveryOut(record tracking.Record, err error) (*out[deliveryBody], error) {
	if err != nil {
		return nil, err
	}
	return &out[deliveryBody]{s.delivery(record)}, nil
}

// delivery is a delivery as merchants and dispatchers see it, with its link.
func (s *Server) delivery(r tracking.Record) deliveryBody {
	body := courierDelivery(r)
	body.TrackingToken = s.linkToken(r)
	body.TrackingURL = s.trackingURL(body.TrackingToken)
	return body
}

// courierDelivery is a delivery as its courier sees it: without the customer's link.
func courierDelivery(r tracking.Record) deliveryBody {
	d := r.Delivery
	body := deliveryBody{
		ID: d.ID.String(), ExternalID: orNull(d.ExternalID), Status: string(d.Status), Ver: d.Ver, Epoch: r.Epoch,
		Pickup: placeBody(d.Pickup), Dropoff: placeBody(d.Dropoff), Note: orNull(d.Note),
		CreatedAt: frame.Time(d.CreatedAt), UpdatedAt: frame.Time(d.UpdatedAt), FinishedAt: frame.Time(d.FinishedAt),
	}
	if !d.CourierID.IsZero() {
		id := d.CourierID.String()
		body.CourierID, body.Courier = &id, &courierBrief{ID: id, Name: r.Courier.Name, Vehicle: string(r.Courier.Vehicle)}
	}
	if d.Status.OnRoute() {
		body.StopsBefore = &d.StopsBefore
	}
	if d.Recipient != (tracking.Recipient{}) {
		recipient := recipientBody(d.Recipient)
		body.Recipient = &recipient
	}
	if !d.Window.IsZero() {
		body.Window = &frame.Window{From: frame.Time(d.Window.From), To: frame.Time(d.Window.To)}
	}
	return body
}

func eventOut(e tracking.Event) eventBody {
	body := eventBody{
		Ver: e.Ver, Status: string(e.Status), At: frame.Time(e.At), DeviceAt: frame.Time(e.DeviceAt), Reason: e.Reason,
		Actor: actorBody{Kind: string(e.Actor.Role)},
	}
	if !e.Actor.CourierID.IsZero() {
		id := e.Actor.CourierID.String()
		body.Actor.ID = &id
	}
	if !e.CourierID.IsZero() {
		id := e.CourierID.String()
		body.CourierID = &id
	}
	if e.Proof != (tracking.Proof{}) {
		proof := proofBody(e.Proof)
		body.Proof = &proof
	}
	return body
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
