package api

import (
	"context"
	"net/http"
	"time"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// CourierQueries are the lists about couriers; they come from the truth. Errors: CodeNotFound, CodeUnavailable.
type CourierQueries interface {
	Courier(ctx context.Context, merchant, courier tracking.ID) (tracking.Courier, error)
	Couriers(ctx context.Context, merchant tracking.ID, onDuty *bool, after tracking.ID, limit int) ([]tracking.Courier, error)
	Route(ctx context.Context, courier tracking.ID) ([]tracking.Record, error)
	Records(ctx context.Context, deliveries []tracking.ID) ([]tracking.Record, error)
}

type (
	courierBody struct {
		ID        string     `json:"id"`
		Name      string     `json:"name"`
		Vehicle   string     `json:"vehicle"`
		Phone     *string    `json:"phone"`
		OnDuty    bool       `json:"on_duty"`
		Token     string     `json:"token,omitempty" doc:"The courier app's key; shown this once"`
		CreatedAt frame.Time `json:"created_at"`
		// Where somebody lives is not listed beside everybody else's.
		HiddenZones *[]zoneBody `json:"hidden_zones,omitempty" maxItems:"5" nullable:"false" doc:"Circles in which no customer ever sees this courier; not in lists"`
	}
	zoneBody struct {
		Lat     float64 `json:"lat" minimum:"-90" maximum:"90"`
		Lon     float64 `json:"lon" minimum:"-180" maximum:"180"`
		RadiusM float64 `json:"radius_m" minimum:"50" maximum:"2000"`
	}
	courierPath struct {
		ID string `path:"id"`
	}
)

func courierOut(c tracking.Courier) courierBody {
	return courierBody{
		ID: c.ID.String(), Name: c.Name, Vehicle: string(c.Vehicle), Phone: orNull(c.Phone), OnDuty: c.OnDuty, CreatedAt: frame.Time(c.CreatedAt),
	}
}

// courierWhole is a courier as an answer about them alone has it.
func courierWhole(c tracking.Courier) courierBody {
	body, zones := courierOut(c), make([]zoneBody, len(c.HiddenZones))
	for i, z := range c.HiddenZones {
		zones[i] = zoneBody(z)
	}
	body.HiddenZones = &zones
	return body
}

func (s *Server) mountCouriers() {
	merchant, ops := tracking.RoleMerchant, tracking.RoleOps
	create := s.operation("Couriers", "create-courier", http.MethodPost, "/v1/couriers", "Create a courier", merchant, ops)
	create.DefaultStatus = http.StatusCreated
	register(s, create, s.createCourier)
	register(s, s.operation("Couriers", "list-couriers", http.MethodGet, "/v1/couriers", "List couriers", merchant, ops), s.listCouriers)
	register(s, s.operation("Couriers", "get-courier", http.MethodGet, "/v1/couriers/{id}", "One courier", merchant, ops), s.getCourier)
	register(s, s.operation("Couriers", "update-courier", http.MethodPatch, "/v1/couriers/{id}", "Change name, vehicle, phone or hidden zones", merchant, ops),
		s.patchCourier)
	register(s, s.operation("Couriers", "rotate-token", http.MethodPost, "/v1/couriers/{id}/token", "Give the courier a new key and end the old one", merchant, ops), s.rotateToken)
	register(s, s.operation("Couriers", "set-route", http.MethodPut, "/v1/couriers/{id}/route", "Put the courier's stops in order", merchant, ops), s.setRoute)
}

func (s *Server) createCourier(ctx context.Context, in *struct {
	Body struct {
		Name    string `json:"name" minLength:"1" maxLength:"200"`
		Vehicle string `json:"vehicle" enum:"foot,bike,scooter,car,van"`
		Phone   string `json:"phone,omitempty" maxLength:"40"`
	}
},
) (*out[courierBody], error) {
	c, secret, err := s.Roster.Hire(ctx, actorOf(ctx), tracking.Courier{
		Name: in.Body.Name, Vehicle: tracking.Vehicle(in.Body.Vehicle), Phone: in.Body.Phone,
	})
	if err != nil {
		return nil, err
	}
	body := courierWhole(c)
	body.Token = secret
	return &out[courierBody]{body}, nil
}

func (s *Server) listCouriers(ctx context.Context, in *struct {
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
},
) (*out[page[courierBody]], error) {
	after, err := parseBodyID("query.cursor", in.Cursor)
	if err != nil {
		return nil, err
	}
	couriers, err := s.Deps.Couriers.Couriers(ctx, actorOf(ctx).MerchantID, nil, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	cursorOf := func(c tracking.Courier) string { return c.ID.String() }
	return &out[page[courierBody]]{pageOf(couriers, in.Limit, cursorOf, courierOut)}, nil
}

func (s *Server) getCourier(ctx context.Context, in *courierPath) (*out[courierBody], error) {
	id, err := parseID(in.ID, "courier")
	if err != nil {
		return nil, err
	}
	c, err := s.Deps.Couriers.Courier(ctx, actorOf(ctx).MerchantID, id)
	if err != nil {
		return nil, err
	}
	return &out[courierBody]{courierWhole(c)}, nil
}

func (s *Server) patchCourier(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		Name    *string     `json:"name,omitempty" minLength:"1" maxLength:"200"`
		Vehicle *string     `json:"vehicle,omitempty" enum:"foot,bike,scooter,car,van"`
		Phone   *string     `json:"phone,omitempty" maxLength:"40"`
		Zones   *[]zoneBody `json:"hidden_zones,omitempty" maxItems:"5" nullable:"false" doc:"Circles in which no customer ever sees this courier; an empty list for none"`
	}
},
) (*out[courierBody], error) {
	id, err := parseID(in.ID, "courier")
	if err != nil {
		return nil, err
	}
	c, err := s.Roster.Amend(ctx, actorOf(ctx), id, func(c *tracking.Courier) {
		if in.Body.Name != nil {
			c.Name = *in.Body.Name
		}
		if in.Body.Vehicle != nil {
			c.Vehicle = tracking.Vehicle(*in.Body.Vehicle)
		}
		if in.Body.Phone != nil {
			c.Phone = *in.Body.Phone
		}
		if in.Body.Zones != nil {
			c.HiddenZones = nil
			for _, z := range *in.Body.Zones {
				c.HiddenZones = append(c.HiddenZones, tracking.Zone(z))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return &out[courierBody]{courierWhole(c)}, nil
}

type tokenBody struct {
	ID    string `json:"id"`
	Token string `json:"token" doc:"Shown this once"`
}

func (s *Server) rotateToken(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body *overlapBody
},
) (*out[tokenBody], error) {
	id, err := parseID(in.ID, "courier")
	if err != nil {
		return nil, err
	}
	overlap := 0
	if in.Body != nil {
		overlap = in.Body.OverlapS
	}
	secret, err := s.Roster.RotateKey(ctx, actorOf(ctx), id, time.Duration(overlap)*time.Second)
	if err != nil {
		return nil, err
	}
	return &out[tokenBody]{tokenBody{ID: in.ID, Token: secret}}, nil
}

func (s *Server) setRoute(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		DeliveryIDs []string `json:"delivery_ids" maxItems:"200" nullable:"false"`
	}
},
) (*out[page[deliveryBody]], error) {
	id, err := parseID(in.ID, "courier")
	if err != nil {
		return nil, err
	}
	order := make([]tracking.ID, len(in.Body.DeliveryIDs))
	for i, text := range in.Body.DeliveryIDs {
		if order[i], err = tracking.ParseID(text); err != nil {
			return nil, tracking.Invalid(indexed("delivery_ids", i), "is not an id")
		}
	}
	if err := s.Dispatch.Reorder(ctx, actorOf(ctx), id, order); err != nil {
		return nil, err
	}
	records, err := s.Deps.Couriers.Route(ctx, id)
	if err != nil {
		return nil, err
	}
	return &out[page[deliveryBody]]{routeOut(records, s.delivery)}, nil
}

func routeOut(records []tracking.Record, convert func(tracking.Record) deliveryBody) page[deliveryBody] {
	p := page[deliveryBody]{Items: make([]deliveryBody, len(records))}
	for i, r := range records {
		p.Items[i] = convert(r)
	}
	return p
}
