package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/cmd/chaos/rig"
)

func init() {
	add(Scenario{
		ID: "F6", Name: "Postgres without a free connection",
		Why:      "Others took all connections: what needs one is refused at once, nobody storms the server for one, and what is free is used again.",
		Postgres: rig.PostgresConfig{Arguments: []string{"-c", "max_connections=60"}},
		Run:      postgresFull,
	})
}

func postgresFull(r *Run) {
	r.Repeat(2, 20, func(int) {
		before := r.questionsEach(func() { r.Wait(time.Second) })
		var during float64
		r.Fault(func() {
			// Nodes come back from a short cut, as after a failover, and find that others were quicker.
			for _, n := range r.Nodes() {
				n.Postgres.Cut()
			}
			release := takeConnections(r)
			defer release()
			for _, n := range r.Nodes() {
				n.Postgres.Heal()
			}
			during = r.questionsEach(func() { r.Wait(r.Pick(2*time.Second, 10*time.Second)) })
		})
		expectRefusedWithoutPostgres(r, settledWithin, refusalHeardWithin)
		expectLiveWithoutPostgres(r, settledWithin)
		// With no connection each question is an attempt to get one.
		r.Expect(during < before/4, "nodes do not storm a full server: they asked %.0f times a second before, and tried %.0f times a second to connect", before, during)
		r.tell("%.0f questions a second before, %.0f attempts to connect a second while there was no connection", before, during)
	})
}

// takeConnections takes every connection that the server has left, and answers how to give them back.
func takeConnections(r *Run) (release func()) {
	const tooManyConnections = "53300"
	var taken []*pgx.Conn
	release = func() {
		for _, conn := range taken {
			_ = conn.Close(context.WithoutCancel(r.Context()))
		}
	}
	for {
		conn, err := pgx.Connect(r.Context(), r.Postgres.Pool.Config().ConnString())
		var refused *pgconn.PgError
		switch {
		case err == nil:
			taken = append(taken, conn)
		case errors.As(err, &refused) && refused.Code == tooManyConnections:
			return release
		default:
			release()
			r.fail(err)
		}
	}
}
