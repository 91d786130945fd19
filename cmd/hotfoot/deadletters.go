package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/tracking"
	"hotfoot/tracking/wire"
)

type deadLettersCmd struct {
	List  deadLettersListCmd  `cmd:"" help:"List them, oldest first."`
	Show  deadLettersShowCmd  `cmd:"" help:"Show one, with its positions."`
	Retry deadLettersRetryCmd `cmd:"" help:"Store their positions after all; what is stored is no longer a dead letter."`
	Drop  deadLettersDropCmd  `cmd:"" help:"Remove them for good, with their positions."`
}

// Help is shown below the commands' summary.
func (deadLettersCmd) Help() string {
	return "A batch of positions that Postgres refuses is put aside with the reason, so that it does not hold up the others, and counts as stored to its " +
		"phone. Nothing removes it but these commands. Look at the reason, repair its cause, and retry."
}

type deadLettersListCmd struct{ storeFlags }

// Run lists dead letters.
func (c *deadLettersListCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		table := tabwriter.NewWriter(w.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tBURIED\tCOURIER\tSESSION\tPOINTS\tREASON")
		err := eachDeadLetter(ctx, store, func(l postgres.DeadLetterInfo) error {
			_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%q\t%d\t%q\n", l.ID, l.BuriedAt.UTC().Format(time.DateTime), courierOf(l), l.Session, l.Points, l.Reason)
			return err
		})
		return errors.Join(err, table.Flush())
	})
}

// eachDeadLetter visits all of them, also while visit removes them.
func eachDeadLetter(ctx context.Context, store *postgres.Store, visit func(postgres.DeadLetterInfo) error) error {
	const page = 500
	var after tracking.ID
	for {
		letters, err := store.DeadLetters(ctx, after, page)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if err := visit(l); err != nil {
				return err
			}
			after = l.ID
		}
		if len(letters) < page {
			return nil
		}
	}
}

func courierOf(l postgres.DeadLetterInfo) string {
	if l.CourierID.IsZero() {
		return "unreadable"
	}
	return l.CourierID.String()
}

type deadLettersShowCmd struct {
	storeFlags
	ID string `arg:"" help:"Its id, from hotfoot deadletters list."`
}

// Run shows a dead letter.
func (c *deadLettersShowCmd) Run(ctx context.Context, w *world) error {
	id, err := tracking.ParseID(c.ID)
	if err != nil {
		return err
	}
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		l, err := store.DeadLetter(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.stdout, "buried   %s\nreason   %q\nentry    %q\ncourier  %s\nsession  %q\n", l.BuriedAt.UTC().Format(time.DateTime), l.Reason, l.Entry, courierOf(l), l.Session)
		return printPayload(w.stdout, l.Payload)
	})
}

// printPayload shows a batch as far as it can be read, and bytes otherwise.
func printPayload(out io.Writer, payload []byte) error {
	batch, err := wire.Batch(payload)
	if err != nil {
		_, err = fmt.Fprintf(out, "\n%d bytes that are no batch (%v):\n%s", len(payload), err, hex.Dump(payload))
		return err
	}
	fmt.Fprintf(out, "received %s\nsettled  %v\n\n", batch.ReceivedAt.Format(time.RFC3339Nano), batch.Settled)
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "SEQ\tRECORDED AT\tLAT\tLON\tACCURACY\tSPEED\tHEADING\tALTITUDE\tBATTERY")
	for _, f := range batch.Fixes {
		p := f.Position
		fmt.Fprintf(table, "%d\t%s\t%v\t%v", f.Seq, p.RecordedAt.Format(time.RFC3339Nano), p.Lat, p.Lon)
		for _, r := range []tracking.Reading{p.AccuracyM, p.SpeedMPS, p.HeadingDeg, p.AltitudeM, p.Battery} {
			if r.Known {
				fmt.Fprintf(table, "\t%v", r.Value)
			} else {
				fmt.Fprint(table, "\t-")
			}
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

type deadLettersRetryCmd struct {
	storeFlags
	IDs []string `arg:"" optional:"" name:"id" help:"Their ids, from hotfoot deadletters list."`
	All bool     `help:"All of them."`
}

// Run stores dead letters. One that is refused again stays, and the others go on.
func (c *deadLettersRetryCmd) Run(ctx context.Context, w *world) error {
	if c.All == (len(c.IDs) > 0) {
		return errors.New("give the ids of dead letters, or --all")
	}
	ids, err := parseIDs(c.IDs)
	if err != nil {
		return err
	}
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		refused := 0
		retry := func(id tracking.ID) error {
			points, err := retryDeadLetter(ctx, store, id)
			switch code := tracking.CodeOf(err); {
			case err == nil:
				fmt.Fprintf(w.stdout, "%s: stored %d positions\n", id, points)
			case code == tracking.CodeUnavailable || ctx.Err() != nil:
				return err
			default:
				refused++
				fmt.Fprintf(w.stdout, "%s: %v\n", id, err)
			}
			return nil
		}
		if c.All {
			err = eachDeadLetter(ctx, store, func(l postgres.DeadLetterInfo) error { return retry(l.ID) })
		}
		for _, id := range ids {
			if err == nil {
				err = retry(id)
			}
		}
		if err == nil && refused > 0 {
			err = fmt.Errorf("%d could not be stored", refused)
		}
		return err
	})
}

// retryDeadLetter stores first and drops second: a crash in between leaves a dead letter whose positions are stored, and storing them again
// changes nothing.
func retryDeadLetter(ctx context.Context, store *postgres.Store, id tracking.ID) (points int, err error) {
	letter, err := store.DeadLetter(ctx, id)
	if err != nil {
		return 0, err
	}
	batch, err := wire.Batch(letter.Payload)
	if err != nil {
		return 0, fmt.Errorf("cannot be read by this version: %w", err)
	}
	if _, err := store.Store(ctx, []tracking.Batch{batch}); err != nil {
		return 0, fmt.Errorf("is refused again: %w", err)
	}
	return len(batch.Fixes), store.DropDeadLetter(ctx, id)
}

type deadLettersDropCmd struct {
	storeFlags
	IDs []string `arg:"" name:"id" help:"Their ids, from hotfoot deadletters list."`
}

// Run removes dead letters.
func (c *deadLettersDropCmd) Run(ctx context.Context, w *world) error {
	ids, err := parseIDs(c.IDs)
	if err != nil {
		return err
	}
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		for _, id := range ids {
			if err := store.DropDeadLetter(ctx, id); err != nil {
				return fmt.Errorf("%s: %w", id, err)
			}
			fmt.Fprintf(w.stdout, "%s: dropped\n", id)
		}
		return nil
	})
}

func parseIDs(texts []string) ([]tracking.ID, error) {
	ids := make([]tracking.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = tracking.ParseID(text); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return ids, nil
}
