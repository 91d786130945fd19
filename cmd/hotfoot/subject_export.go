package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/tracking"
)

type subjectExportCmd struct{ subjectFlags }

// Run writes what is kept of a person to the standard output.
func (c *subjectExportCmd) Run(ctx context.Context, w *world) error {
	return c.with(ctx, func(ctx context.Context, store *postgres.Store, client redis.UniversalClient, subject postgres.Subject) error {
		out := document{out: bufio.NewWriterSize(w.stdout, 1<<16)}
		fmt.Fprintf(out.out, "{\"exported_at\": %q", time.Now().UTC().Format(time.RFC3339))
		if err := store.Export(ctx, subject, out.begin, out.row); err != nil {
			return err
		}
		if !subject.Courier.IsZero() {
			if err := exportWaiting(ctx, client, subject.Courier, &out); err != nil {
				return err
			}
		}
		return out.end()
	})
}

// document is one JSON object whose fields are lists, a row a line, written as they come.
type document struct {
	out     *bufio.Writer
	inside  bool // a list is open
	started bool // and has a row
}

func (d *document) begin(section string) error {
	d.close()
	d.inside, d.started = true, false
	_, err := fmt.Fprintf(d.out, ",\n%q: [", section)
	return err
}

func (d *document) close() {
	if d.inside {
		_, _ = io.WriteString(d.out, "]") // a writer that has failed goes on failing, and is asked at the end
	}
	d.inside = false
}

func (d *document) row(text []byte) error {
	if d.started {
		_ = d.out.WriteByte(',')
	}
	d.started = true
	_ = d.out.WriteByte('\n')
	_, err := d.out.Write(text)
	return err
}

func (d *document) end() error {
	d.close()
	_, _ = io.WriteString(d.out, "}\n")
	return d.out.Flush()
}

// waitingPosition is a position that is not in Postgres yet.
type waitingPosition struct {
	Session    string    `json:"session"`
	Seq        int64     `json:"seq"`
	ReceivedAt time.Time `json:"received_at"`
	RecordedAt time.Time `json:"recorded_at"`
	Lat        float64   `json:"lat"`
	Lon        float64   `json:"lon"`
	AccuracyM  *float32  `json:"accuracy_m"`
	SpeedMPS   *float32  `json:"speed_mps"`
	HeadingDeg *float32  `json:"heading_deg"`
	AltitudeM  *float32  `json:"altitude_m"`
	Battery    *float32  `json:"battery"`
}

// exportWaiting writes what waits in Redis. Some of it may have got into Postgres meanwhile, and be there twice; everything else in Redis is copied from
// Postgres.
func exportWaiting(ctx context.Context, client redis.UniversalClient, courier tracking.ID, out *document) error {
	if err := out.begin("positions_waiting"); err != nil {
		return err
	}
	reading := func(r tracking.Reading) *float32 {
		if !r.Known {
			return nil
		}
		return &r.Value
	}
	return pubsub.WaitingOf(ctx, client, courier, func(b tracking.Batch) error {
		for _, f := range b.Fixes {
			p := f.Position
			text, err := json.Marshal(waitingPosition{
				b.Session, f.Seq, b.ReceivedAt, p.RecordedAt, p.Lat, p.Lon,
				reading(p.AccuracyM), reading(p.SpeedMPS), reading(p.HeadingDeg), reading(p.AltitudeM), reading(p.Battery),
			})
			if err != nil {
				return err
			}
			if err := out.row(text); err != nil {
				return err
			}
		}
		return nil
	})
}
