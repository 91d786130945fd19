package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

// SQLSTATEs that are acted on by themselves. Their meanings are in the appendix "PostgreSQL Error Codes" of its manual.
const (
	uniqueViolation     = "23505"
	foreignKeyViolation = "23503"
	checkViolation      = "23514"
	readOnly            = "25006"
	tooManyConnections  = "53300"
	// changedPlan is what a statement that was prepared before a migration gets after it; see guarded.replanned.
	changedPlan = "0A000"
	noDatabase  = "3D000"
)

// goneFor are the SQLSTATEs of a server that is stopping, has crashed or is starting.
var goneFor = []string{"57P01", "57P02", "57P03"}

// awayClasses are the classes of SQLSTATE in which nothing is wrong with what was asked: asked again later, or of another server, it works.
var awayClasses = []string{
	"08", // connection
	"25", // transaction state: read-only above all
	"28", // authorization: a password that was changed
	"40", // deadlock, serialization
	"53", // resources: disk, memory, connections
	"55", // locks that could not be had in time
	"57", // cancelled, shutting down
	"58", // the system under it: I/O
	"XX", // a fault in the server
}

// translate turns what Postgres and pgx say into the domain's errors. Errors that are the domain's own pass as they are.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var own *tracking.Error
	if errors.As(err, &own) {
		return own
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		if errors.Is(err, pgx.ErrNoRows) {
			return tracking.Errorf(tracking.CodeNotFound, "not found")
		}
		// Everything else that pgx reports is about reaching the server: dialling, deadlines, a connection that broke.
		return tracking.Unavailable("Postgres", err)
	}
	switch class := pg.Code[:2]; {
	case pg.Code == uniqueViolation:
		return conflict(pg)
	case pg.Code == foreignKeyViolation:
		return tracking.Errorf(tracking.CodeNotFound, "something that this refers to does not exist")
	case class == "22" || class == "23":
		return &tracking.Error{Code: tracking.CodeInvalid, Message: "a value breaks the rule " + rule(pg), Err: err}
	case pg.Code == changedPlan || pg.Code == noDatabase || slices.Contains(awayClasses, class):
		return tracking.Unavailable("Postgres", err)
	}
	return err
}

// answers reports whether an error is the server's own word: then it is there, whatever it says, unless it says that it is going or coming.
func answers(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && !slices.Contains(goneFor, pg.Code)
}

func rule(pg *pgconn.PgError) string {
	if pg.ConstraintName != "" {
		return strings.ReplaceAll(pg.ConstraintName, "_", " ")
	}
	return "of its type"
}

func conflict(pg *pgconn.PgError) error {
	switch pg.ConstraintName {
	case "deliveries_external_id":
		return &tracking.Error{
			Code: tracking.CodeConflict, Message: "a delivery with this external_id exists", Err: pg,
			Fields: []tracking.FieldError{{Path: "external_id", Message: "is taken"}},
		}
	case "merchants_name":
		return &tracking.Error{Code: tracking.CodeConflict, Message: "a merchant with this name exists", Err: pg}
	}
	return &tracking.Error{Code: tracking.CodeConflict, Message: "it exists already", Err: pg}
}
