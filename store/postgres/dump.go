package postgres

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

const everyTableSQL = `
SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'deliveries'::regclass) ORDER BY c.relname`

// dumpPatience bounds the dump of one table.
const dumpPatience = 2 * time.Hour

// Dump hands every row of every table of the schema to line, as COPY writes it: columns between tabs. The line is good until it returns. Errors:
// CodeUnavailable.
func (s *Store) Dump(ctx context.Context, line func(table string, row []byte)) error {
	rows, err := s.db.Query(ctx, everyTableSQL)
	if err != nil {
		return translate(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return translate(err)
	}
	for _, table := range tables {
		if err := s.dumpTable(ctx, table, line); err != nil && err != errGone {
			return translate(err)
		}
	}
	return nil
}

func (s *Store) dumpTable(ctx context.Context, table string, line func(string, []byte)) error {
	return s.db.Begin(ctx, dumpPatience, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		from, to := io.Pipe()
		read := make(chan error, 1)
		go func() { read <- eachLine(from, func(row []byte) { line(table, row) }) }()
		_, err := tx.Conn().PgConn().CopyTo(ctx, to, "COPY "+pgx.Identifier{table}.Sanitize()+" TO STDOUT")
		_ = to.CloseWithError(err)
		if failed := <-read; err == nil {
			err = failed
		}
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == undefinedTable {
			return errGone
		}
		return err
	})
}

// errGone never leaves this file: a day of positions that was dropped after the tables were listed.
var errGone = tracking.Errorf(tracking.CodeNotFound, "the table is gone")

// eachLine reads to the end, whatever the length of a line.
func eachLine(from io.Reader, line func([]byte)) error {
	lines := bufio.NewReaderSize(from, 1<<16)
	var long []byte
	for {
		part, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			long = append(long, part...)
			continue
		case len(long) > 0:
			long = append(long, part...)
			line(long)
			long = long[:0]
		case len(part) > 0:
			line(part)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
