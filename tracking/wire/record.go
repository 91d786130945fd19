package wire

import (
	"encoding/json"
	"fmt"
	"time"

	"hotfoot/tracking"
)

const recordVersion = 1

// The JSON of a record. Names are short because every change of every delivery travels in it, and fixed because two releases must
// understand each other.
type (
	recordJSON struct {
		V          int          `json:"v"`
		Epoch      int64        `json:"epoch"`
		ID         tracking.ID  `json:"id"`
		External   string       `json:"ext,omitempty"`
		Status     string       `json:"status"`
		Ver        int64        `json:"ver"`
		Rev        int64        `json:"rev"`
		Order      int64        `json:"order,omitempty"`
		Before     int          `json:"before,omitempty"`
		Pickup     placeJSON    `json:"pickup"`
		Dropoff    placeJSON    `json:"dropoff"`
		RcptName   string       `json:"rname,omitempty"`
		RcptPhone  string       `json:"rphone,omitempty"`
		WindowFrom ms           `json:"wfrom,omitempty"`
		WindowTo   ms           `json:"wto,omitempty"`
		Note       string       `json:"note,omitempty"`
		LinkGen    uint8        `json:"link,omitempty"`
		CreatedAt  ms           `json:"created"`
		UpdatedAt  ms           `json:"updated"`
		FinishedAt ms           `json:"finished,omitempty"`
		Merchant   merchantJSON `json:"merchant"`
		Courier    *courierJSON `json:"courier,omitempty"`
		Events     []eventJSON  `json:"events"`
	}
	placeJSON struct {
		Lat     float64 `json:"lat"`
		Lon     float64 `json:"lon"`
		Address string  `json:"addr,omitempty"`
		Name    string  `json:"name,omitempty"`
	}
	merchantJSON struct {
		ID           tracking.ID `json:"id"`
		Name         string      `json:"name"`
		VisibleStops int         `json:"visible"`
		VisibleFrom  string      `json:"from,omitempty"`
		RoundingM    int         `json:"round,omitempty"`
		DelayS       int         `json:"delay,omitempty"`
	}
	courierJSON struct {
		ID      tracking.ID `json:"id"`
		Name    string      `json:"name"`
		Vehicle string      `json:"vehicle"`
		OnDuty  bool        `json:"duty"`
		Zones   []zoneJSON  `json:"zones,omitempty"`
	}
	zoneJSON struct {
		Lat     float64 `json:"lat"`
		Lon     float64 `json:"lon"`
		RadiusM float64 `json:"m"`
	}
	eventJSON struct {
		Ver      int64       `json:"ver"`
		Status   string      `json:"status"`
		At       ms          `json:"at"`
		DeviceAt ms          `json:"dev,omitempty"`
		Role     string      `json:"role"`
		Courier  tracking.ID `json:"courier,omitzero"`
		Reason   string      `json:"reason,omitempty"`
		LeftAt   string      `json:"left,omitempty"`
		Name     string      `json:"name,omitempty"`
	}
	// ms is a time as Unix milliseconds; 0 is no time.
	ms int64
)

func toMS(t time.Time) ms {
	if t.IsZero() {
		return 0
	}
	return ms(t.UnixMilli())
}

func (m ms) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

func merchantOut(m tracking.Merchant) merchantJSON {
	return merchantJSON{m.ID, m.Name, m.VisibleStops, string(m.VisibleFrom), m.RoundingM, int(m.Delay / time.Second)}
}

// legible reports whether a record says what its customers may see in terms that this release knows. One that does not is read from the truth: to guess
// would be to show too much.
func (j merchantJSON) legible() bool {
	from := tracking.Status(j.VisibleFrom)
	return (from == "" || from == tracking.EnRoute || from == tracking.Arriving) && j.RoundingM >= 0 && j.RoundingM <= tracking.MaxRoundingM &&
		j.DelayS >= 0 && j.DelayS <= int(tracking.MaxDelay/time.Second)
}

func (j merchantJSON) in() tracking.Merchant {
	return tracking.Merchant{
		ID: j.ID, Name: j.Name, VisibleStops: j.VisibleStops, VisibleFrom: tracking.Status(j.VisibleFrom), RoundingM: j.RoundingM,
		Delay: time.Duration(j.DelayS) * time.Second,
	}
}

// MarshalRecord writes a record. What only Postgres needs (client event ids, request hashes, who exactly acted and where) stays there.
func MarshalRecord(r tracking.Record) ([]byte, error) {
	d := r.Delivery
	j := recordJSON{
		V: recordVersion, Epoch: r.Epoch, ID: d.ID, External: d.ExternalID, Status: string(d.Status), Ver: d.Ver, Rev: d.Rev,
		Order: d.RouteOrder, Before: d.StopsBefore, Pickup: placeJSON(d.Pickup), Dropoff: placeJSON(d.Dropoff),
		RcptName: d.Recipient.Name, RcptPhone: d.Recipient.Phone, WindowFrom: toMS(d.Window.From), WindowTo: toMS(d.Window.To),
		Note: d.Note, LinkGen: d.LinkGen, CreatedAt: toMS(d.CreatedAt), UpdatedAt: toMS(d.UpdatedAt), FinishedAt: toMS(d.FinishedAt),
		Merchant: merchantOut(r.Merchant), Events: make([]eventJSON, len(r.Events)),
	}
	if !r.Courier.ID.IsZero() {
		j.Courier = &courierJSON{ID: r.Courier.ID, Name: r.Courier.Name, Vehicle: string(r.Courier.Vehicle), OnDuty: r.Courier.OnDuty}
		for _, z := range r.Courier.HiddenZones {
			j.Courier.Zones = append(j.Courier.Zones, zoneJSON(z))
		}
	}
	for i, e := range r.Events {
		j.Events[i] = eventJSON{
			Ver: e.Ver, Status: string(e.Status), At: toMS(e.At), DeviceAt: toMS(e.DeviceAt), Role: string(e.Actor.Role), Courier: e.CourierID,
			Reason: e.Reason, LeftAt: e.Proof.LeftAt, Name: e.Proof.Name,
		}
	}
	return json.Marshal(j)
}

// Record reads what MarshalRecord wrote. Fields it does not know are from a newer release and are ignored.
func Record(b []byte) (tracking.Record, error) {
	var j recordJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return tracking.Record{}, fmt.Errorf("wire: record: %w", err)
	}
	if j.V != recordVersion {
		return tracking.Record{}, errVersion
	}
	if !tracking.Status(j.Status).Known() || j.Ver < 1 || j.Rev < 1 || j.ID.IsZero() || !j.Merchant.legible() {
		return tracking.Record{}, errValue
	}
	r := tracking.Record{
		Epoch:    j.Epoch,
		Merchant: j.Merchant.in(),
		Delivery: tracking.Delivery{
			ID: j.ID, MerchantID: j.Merchant.ID, ExternalID: j.External, Status: tracking.Status(j.Status), Ver: j.Ver, Rev: j.Rev,
			RouteOrder: j.Order, StopsBefore: j.Before, Pickup: tracking.Place(j.Pickup), Dropoff: tracking.Place(j.Dropoff),
			Recipient: tracking.Recipient{Name: j.RcptName, Phone: j.RcptPhone},
			Window:    tracking.Window{From: j.WindowFrom.time(), To: j.WindowTo.time()},
			Note:      j.Note, LinkGen: j.LinkGen, CreatedAt: j.CreatedAt.time(), UpdatedAt: j.UpdatedAt.time(), FinishedAt: j.FinishedAt.time(),
		},
		Events: make([]tracking.Event, len(j.Events)),
	}
	if j.Courier != nil {
		r.Courier = tracking.Courier{
			ID: j.Courier.ID, MerchantID: j.Merchant.ID, Name: j.Courier.Name, Vehicle: tracking.Vehicle(j.Courier.Vehicle), OnDuty: j.Courier.OnDuty,
		}
		for _, z := range j.Courier.Zones {
			r.Courier.HiddenZones = append(r.Courier.HiddenZones, tracking.Zone(z))
		}
		r.Delivery.CourierID = j.Courier.ID
	}
	for i, e := range j.Events {
		r.Events[i] = tracking.Event{
			Ver: e.Ver, Status: tracking.Status(e.Status), At: e.At.time(), DeviceAt: e.DeviceAt.time(), Actor: tracking.Actor{Role: tracking.Role(e.Role)},
			CourierID: e.Courier, Reason: e.Reason, Proof: tracking.Proof{LeftAt: e.LeftAt, Name: e.Name},
		}
	}
	return r, nil
}
