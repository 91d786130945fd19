package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hotfoot/tracking"
)

// Subject is a person of whom something is kept: a courier, or whoever deliveries are for.
type Subject struct {
	Courier    tracking.ID   // zero for a recipient
	Deliveries []tracking.ID // those that are for them; none for a courier
	Words      []string      // their names and numbers, which nobody else should have
	Private    []string      // what else is said of them, which others may share: addresses, notes
	Places     [][2]float64  // where they were or live, latitude and longitude; of a courier some of them
}

// subjectPatience bounds what an operator asks about one person: it may walk through every row there is.
const subjectPatience = 6 * time.Hour

// atLeisure runs fn in a transaction that may take its time.
func (s *Store) atLeisure(ctx context.Context, fn func(context.Context, pgx.Tx) error) error {
	return translate(s.db.Begin(ctx, subjectPatience, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		return fn(ctx, tx)
	}))
}

const (
	subjectCourierSQL = `SELECT name, coalesce(phone, ''), hidden_zones FROM couriers WHERE id = $1`
	// The newest are the ones that copies are made of.
	subjectPlacesSQL = `SELECT DISTINCT lat, lon FROM (SELECT lat, lon FROM positions WHERE courier_id = $1 ORDER BY recorded_at DESC LIMIT 1000) newest`
)

// erasedName stands where a courier's name stood: a row must have one.
const erasedName = "erased"

// CourierSubject is a courier as a person. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) CourierSubject(ctx context.Context, courier tracking.ID) (Subject, error) {
	subject := Subject{Courier: courier}
	err := s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var name, phone string
		var zones []float64
		if err := tx.QueryRow(ctx, subjectCourierSQL, courier).Scan(&name, &phone, &zones); err == pgx.ErrNoRows {
			return tracking.Errorf(tracking.CodeNotFound, "no such courier")
		} else if err != nil {
			return err
		}
		for _, word := range []string{name, phone} {
			if word != "" && word != erasedName {
				subject.Words = append(subject.Words, word)
			}
		}
		for _, zone := range zonesOf(zones) {
			subject.Places = append(subject.Places, [2]float64{zone.Lat, zone.Lon})
		}
		return places(ctx, tx, &subject, subjectPlacesSQL, courier)
	})
	return subject, err
}

// Numbers are compared by their digits: people write them in many ways.
const deliveriesToSQL = `SELECT id FROM deliveries WHERE regexp_replace(recipient_phone, '[^0-9]', '', 'g') = $1 ORDER BY id`

// RecipientSubject is whoever deliveries to a phone number, given by its digits, are for. Errors: CodeNotFound (there are none), CodeUnavailable.
func (s *Store) RecipientSubject(ctx context.Context, digits string) (Subject, error) {
	var subject Subject
	err := s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, deliveriesToSQL, digits)
		if err != nil {
			return err
		}
		if subject.Deliveries, err = pgx.CollectRows(rows, pgx.RowTo[tracking.ID]); err != nil {
			return err
		}
		return describe(ctx, tx, &subject)
	})
	return subject, err
}

// DeliverySubject is whoever one delivery is for. Errors: CodeNotFound, CodeUnavailable.
func (s *Store) DeliverySubject(ctx context.Context, delivery tracking.ID) (Subject, error) {
	subject := Subject{Deliveries: []tracking.ID{delivery}}
	err := s.atLeisure(ctx, func(ctx context.Context, tx pgx.Tx) error { return describe(ctx, tx, &subject) })
	return subject, err
}

const (
	// The first two columns are who somebody is.
	recipientWordsSQL = `SELECT recipient_name, recipient_phone, dropoff_address, dropoff_name, note FROM deliveries WHERE id = ANY($1)`
	proofWordsSQL     = `SELECT DISTINCT proof_name FROM delivery_events WHERE delivery_id = ANY($1) AND proof_name <> ''`
	// A delivery that was redacted has no place.
	recipientPlacesSQL = `
SELECT DISTINCT dropoff_lat, dropoff_lon FROM deliveries WHERE id = ANY($1) AND redacted_at IS NULL
UNION SELECT lat, lon FROM delivery_events WHERE delivery_id = ANY($1) AND lat IS NOT NULL`
)

// describe gathers what is said of the people of deliveries.
func describe(ctx context.Context, tx pgx.Tx, subject *Subject) error {
	rows, err := tx.Query(ctx, recipientWordsSQL, subject.Deliveries)
	if err != nil {
		return err
	}
	found := 0
	words, private := map[string]bool{"": true}, map[string]bool{"": true}
	add := func(seen map[string]bool, to *[]string, texts ...string) {
		for _, text := range texts {
			if !seen[text] {
				seen[text] = true
				*to = append(*to, text)
			}
		}
	}
	var name, phone, address, place, note string
	if _, err = pgx.ForEachRow(rows, []any{&name, &phone, &address, &place, &note}, func() error {
		found++
		add(words, &subject.Words, name, phone)
		add(private, &subject.Private, address, place, note)
		return nil
	}); err != nil {
		return err
	}
	if found == 0 {
		return tracking.Errorf(tracking.CodeNotFound, "there is no delivery for them")
	}
	if rows, err = tx.Query(ctx, proofWordsSQL, subject.Deliveries); err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		add(private, &subject.Private, name)
		return nil
	}); err != nil {
		return err
	}
	return places(ctx, tx, subject, recipientPlacesSQL, subject.Deliveries)
}

func places(ctx context.Context, tx pgx.Tx, subject *Subject, sql string, of any) error {
	rows, err := tx.Query(ctx, sql, of)
	if err != nil {
		return err
	}
	var lat, lon float64
	_, err = pgx.ForEachRow(rows, []any{&lat, &lon}, func() error {
		subject.Places = append(subject.Places, [2]float64{lat, lon})
		return nil
	})
	return err
}
