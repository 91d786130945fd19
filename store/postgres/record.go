package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// deliveryColumns are what scanDelivery reads, of a table or alias named d.
const deliveryColumns = `d.id, d.merchant_id, d.external_id, d.status, d.ver, d.rev, d.courier_id, d.route_order, d.stops_before,
    d.pickup_lat, d.pickup_lon, d.pickup_address, d.pickup_name, d.dropoff_lat, d.dropoff_lon, d.dropoff_address, d.dropoff_name,
    d.recipient_name, d.recipient_phone, d.window_from, d.window_to, d.note, d.link_gen, d.created_at, d.updated_at, d.finished_at`

// nullable holds the columns of a delivery that may be NULL while it is scanned.
type nullable struct {
	external           *string
	courier            *tracking.ID
	order              *int64
	before             *int
	from, to, finished *time.Time
	linkGen            int16
}

func deliveryTargets(d *tracking.Delivery, n *nullable) []any {
	return []any{
		&d.ID, &d.MerchantID, &n.external, &d.Status, &d.Ver, &d.Rev, &n.courier, &n.order, &n.before,
		&d.Pickup.Lat, &d.Pickup.Lon, &d.Pickup.Address, &d.Pickup.Name, &d.Dropoff.Lat, &d.Dropoff.Lon, &d.Dropoff.Address, &d.Dropoff.Name,
		&d.Recipient.Name, &d.Recipient.Phone, &n.from, &n.to, &d.Note, &n.linkGen, &d.CreatedAt, &d.UpdatedAt, &n.finished,
	}
}

func (n *nullable) fill(d *tracking.Delivery) {
	d.ExternalID, d.CourierID, d.RouteOrder, d.StopsBefore = value(n.external), value(n.courier), value(n.order), value(n.before)
	d.Window.From, d.Window.To, d.FinishedAt, d.LinkGen = value(n.from), value(n.to), value(n.finished), uint8(n.linkGen)
}

func scanDelivery(row pgx.CollectableRow) (tracking.Delivery, error) {
	var d tracking.Delivery
	var n nullable
	err := row.Scan(deliveryTargets(&d, &n)...)
	n.fill(&d)
	return d, err
}

const recordColumns = deliveryColumns + `, m.name, ` + sightColumns + `, c.name, c.vehicle, c.on_duty, c.hidden_zones, (SELECT epoch FROM epoch)`

const recordFrom = ` FROM deliveries d JOIN merchants m ON m.id = d.merchant_id LEFT JOIN couriers c ON c.id = d.courier_id `

const recordsSQL = `SELECT ` + recordColumns + recordFrom + `WHERE d.id = ANY($1)`

func scanRecord(row pgx.CollectableRow) (tracking.Record, error) {
	var r tracking.Record
	var n nullable
	var name, vehicle *string
	var duty *bool
	var zones []float64
	var delay int
	targets := append(append(deliveryTargets(&r.Delivery, &n), &r.Merchant.Name), sightTargets(&r.Merchant, &delay)...)
	err := row.Scan(append(targets, &name, &vehicle, &duty, &zones, &r.Epoch)...)
	n.fill(&r.Delivery)
	r.Merchant.Delay = time.Duration(delay) * time.Second
	r.Merchant.ID = r.Delivery.MerchantID
	if !r.Delivery.CourierID.IsZero() {
		r.Courier = tracking.Courier{
			ID: r.Delivery.CourierID, MerchantID: r.Delivery.MerchantID, Name: value(name), Vehicle: tracking.Vehicle(value(vehicle)), OnDuty: value(duty),
			HiddenZones: zonesOf(zones),
		}
	}
	return r, err
}

// recordsOf reads records with their events, in the order of ids; ids that do not exist are left out.
func recordsOf(ctx context.Context, q querier, ids []tracking.ID) ([]tracking.Record, error) {
	rows, err := q.Query(ctx, recordsSQL, ids)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanRecord)
	if err != nil {
		return nil, err
	}
	events, err := eventsOf(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[tracking.ID]tracking.Record, len(found))
	for _, r := range found {
		r.Events = upTo(r.Delivery.Ver, events[r.Delivery.ID])
		byID[r.Delivery.ID] = r
	}
	records := make([]tracking.Record, 0, len(found))
	for _, id := range ids {
		if r, ok := byID[id]; ok {
			records = append(records, r)
		}
	}
	return records, nil
}

// upTo leaves out events that were made between the reading of the delivery and that of its events: a viewer would be shown them again.
func upTo(ver int64, events []tracking.Event) []tracking.Event {
	for len(events) > 0 && events[len(events)-1].Ver > ver {
		events = events[:len(events)-1]
	}
	return events
}

func recordOf(ctx context.Context, q querier, id tracking.ID) (tracking.Record, error) {
	records, err := recordsOf(ctx, q, []tracking.ID{id})
	if err != nil {
		return tracking.Record{}, err
	}
	if len(records) == 0 {
		return tracking.Record{}, tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	}
	return records[0], nil
}

// Record reads one delivery's record, whoever it belongs to. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) Record(ctx context.Context, id tracking.ID) (tracking.Record, error) {
	record, err := recordOf(ctx, s.db, id)
	return record, translate(err)
}

// Records reads many, in the order of ids; those that do not exist are left out. Errors: CodeUnavailable.
func (s *Store) Records(ctx context.Context, ids []tracking.ID) ([]tracking.Record, error) {
	records, err := recordsOf(ctx, s.db, ids)
	return records, translate(err)
}

const revisionsSQL = `SELECT id, (SELECT epoch FROM epoch), rev FROM deliveries WHERE id = ANY($1)`

// Revisions says how new records are, in the order of ids; the zero Revision stands for one that does not exist. Errors: CodeUnavailable.
func (s *Store) Revisions(ctx context.Context, ids []tracking.ID) ([]tracking.Revision, error) {
	rows, err := s.db.Query(ctx, revisionsSQL, ids)
	if err != nil {
		return nil, translate(err)
	}
	found := make(map[tracking.ID]tracking.Revision, len(ids))
	var id tracking.ID
	var revision tracking.Revision
	_, err = pgx.ForEachRow(rows, []any{&id, &revision.Epoch, &revision.Rev}, func() error {
		found[id] = revision
		return nil
	})
	if err != nil {
		return nil, translate(err)
	}
	revisions := make([]tracking.Revision, len(ids))
	for i, id := range ids {
		revisions[i] = found[id]
	}
	return revisions, nil
}

const listDeliveriesSQL = `SELECT ` + recordColumns + recordFrom + `
WHERE d.merchant_id = $1 AND ($2::text[] IS NULL OR d.status = ANY($2)) AND ($3::uuid IS NULL OR d.courier_id = $3) AND ($4::uuid IS NULL OR d.id < $4)
ORDER BY d.id DESC LIMIT $5`

// Deliveries lists a merchant's deliveries, the newest first, without their events. Errors: CodeUnavailable.
func (s *Store) Deliveries(ctx context.Context, merchant tracking.ID, f tracking.Filter) ([]tracking.Record, error) {
	var statuses []string
	for _, status := range f.Statuses {
		statuses = append(statuses, string(status))
	}
	rows, err := s.db.Query(ctx, listDeliveriesSQL, merchant, statuses, optional(f.Courier), optional(f.Before), f.Limit)
	if err != nil {
		return nil, translate(err)
	}
	records, err := pgx.CollectRows(rows, scanRecord)
	return records, translate(err)
}

const routeSQL = `SELECT ` + recordColumns + recordFrom + `
WHERE d.courier_id = $1 AND d.status IN ('assigned', 'picked_up', 'en_route', 'arriving', 'failed')
ORDER BY d.status = 'failed', d.route_order, d.id LIMIT 200`

// Route lists a courier's stops in order, failed ones last, without their events. Errors: CodeUnavailable.
func (s *Store) Route(ctx context.Context, courier tracking.ID) ([]tracking.Record, error) {
	rows, err := s.db.Query(ctx, routeSQL, courier)
	if err != nil {
		return nil, translate(err)
	}
	records, err := pgx.CollectRows(rows, scanRecord)
	return records, translate(err)
}

const activeSQL = `SELECT ` + recordColumns + recordFrom + `WHERE d.merchant_id = $1 AND d.finished_at IS NULL ORDER BY d.id LIMIT $2`

// Active lists a merchant's unfinished deliveries, without their events. Errors: CodeUnavailable.
func (s *Store) Active(ctx context.Context, merchant tracking.ID, limit int) ([]tracking.Record, error) {
	rows, err := s.db.Query(ctx, activeSQL, merchant, limit)
	if err != nil {
		return nil, translate(err)
	}
	records, err := pgx.CollectRows(rows, scanRecord)
	return records, translate(err)
}
