package postgres_test

import (
	"testing"

	"hotfoot/tracking"
)

// What the audit costs a delivery's whole life, of six changes: beside the same without its triggers, in turn.
func BenchmarkDispatch_life(b *testing.B) {
	s := newShop(b)
	life := func(b *testing.B) {
		for b.Loop() {
			r := s.create(b, s.courier)
			s.report(b, r, tracking.PickedUp, tracking.EnRoute, tracking.Arriving, tracking.Delivered)
		}
	}
	for _, turn := range []struct{ name, sql string }{
		{"audited", `ALTER TABLE deliveries ENABLE TRIGGER audit`},
		{"unaudited", `ALTER TABLE deliveries DISABLE TRIGGER audit`},
	} {
		b.Run(turn.name, func(b *testing.B) {
			_, err := s.pool.Exec(b.Context(), turn.sql)
			must(b, err)
			life(b)
		})
	}
}
