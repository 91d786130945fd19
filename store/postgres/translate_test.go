package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

func TestTranslate(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]tracking.Code{
		"23505": tracking.CodeConflict,    // unique violation
		"23503": tracking.CodeNotFound,    // foreign key
		"23514": tracking.CodeInvalid,     // check
		"23502": tracking.CodeInvalid,     // not null
		"22P02": tracking.CodeInvalid,     // invalid text
		"22003": tracking.CodeInvalid,     // out of range
		"08006": tracking.CodeUnavailable, // connection failure
		"40001": tracking.CodeUnavailable, // serialization
		"40P01": tracking.CodeUnavailable, // deadlock
		"53300": tracking.CodeUnavailable, // too many connections
		"53100": tracking.CodeUnavailable, // disk full
		"55P03": tracking.CodeUnavailable, // lock timeout
		"57014": tracking.CodeUnavailable, // cancelled, statement timeout
		"57P01": tracking.CodeUnavailable, // shutting down
		"57P03": tracking.CodeUnavailable, // starting up
		"25006": tracking.CodeUnavailable, // read-only: a standby
		"58030": tracking.CodeUnavailable, // I/O
		"XX000": tracking.CodeUnavailable,
		"0A000": tracking.CodeUnavailable, // cached plan must not change result type: a migration has just run
		"28P01": tracking.CodeUnavailable, // wrong password: it was changed
		"3D000": tracking.CodeUnavailable, // no such database: it is being restored
		"42601": tracking.CodeInternal,    // syntax: a fault of ours
		"42P01": tracking.CodeInternal,    // no such table: not migrated
	} {
		err := translate(fmt.Errorf("outer: %w", &pgconn.PgError{Code: state, ConstraintName: "some_rule"}))
		if got := tracking.CodeOf(err); got != want {
			t.Errorf("%s becomes %s, want %s", state, got, want)
		}
		if pg := (*pgconn.PgError)(nil); state != "23503" && !errors.As(err, &pg) {
			t.Errorf("%s loses its cause", state)
		}
	}
	own := tracking.Errorf(tracking.CodeNotFound, "no such delivery")
	for err, want := range map[error]tracking.Code{
		nil: "", own: tracking.CodeNotFound, fmt.Errorf("outer: %w", own): tracking.CodeNotFound,
		pgx.ErrNoRows: tracking.CodeNotFound, context.DeadlineExceeded: tracking.CodeUnavailable, errors.New("dial"): tracking.CodeUnavailable,
	} {
		if got := tracking.CodeOf(translate(err)); got != want {
			t.Errorf("%v becomes %s, want %s", err, got, want)
		}
	}
	taken, ok := errors.AsType[*tracking.Error](translate(&pgconn.PgError{Code: "23505", ConstraintName: "deliveries_external_id"}))
	if !ok || len(taken.Fields) != 1 || taken.Fields[0].Path != "external_id" {
		t.Errorf("a taken external_id becomes %v", taken)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]bool{
		"53300": true, // it has no connection left, and says so
		"57014": true, // it cancelled what we asked it to
		"28P01": true, "42P01": true, "25006": true,
		"57P01": false, // shutting down
		"57P02": false, // crashed
		"57P03": false, // starting up
	} {
		if got := answers(fmt.Errorf("outer: %w", &pgconn.PgError{Code: state})); got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
	if answers(context.DeadlineExceeded) || answers(errors.New("dial")) {
		t.Error("silence is taken for an answer")
	}
}
