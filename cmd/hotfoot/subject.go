package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/pubsub"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

type subjectCmd struct {
	Export subjectExportCmd `cmd:"" help:"Write everything that is kept of a person as one JSON document."`
	Erase  subjectEraseCmd  `cmd:"" help:"Take a person out of everything, and search both stores for what is left: exit code 0 when that is nothing."`
}

// subjectFlags say who it is about.
type subjectFlags struct {
	storeFlags
	Courier  string `help:"A courier, by id." placeholder:"ID" xor:"who" required:""`
	Phone    string `help:"Whoever deliveries to this number are for, however it is written." placeholder:"NUMBER" xor:"who" required:""`
	Delivery string `help:"Whoever this delivery is for." placeholder:"ID" xor:"who" required:""`
}

// minDigits is how many digits a phone number must have: fewer could be anybody's.
const minDigits = 6

// find looks the person up.
func (f subjectFlags) find(ctx context.Context, store *postgres.Store) (postgres.Subject, error) {
	switch {
	case f.Courier != "":
		id, err := tracking.ParseID(f.Courier)
		if err != nil {
			return postgres.Subject{}, err
		}
		return store.CourierSubject(ctx, id)
	case f.Delivery != "":
		id, err := tracking.ParseID(f.Delivery)
		if err != nil {
			return postgres.Subject{}, err
		}
		return store.DeliverySubject(ctx, id)
	}
	digits := digitsOf(f.Phone)
	if len(digits) < minDigits {
		return postgres.Subject{}, fmt.Errorf("a phone number has at least %d digits", minDigits)
	}
	return store.RecipientSubject(ctx, digits)
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// with opens both stores and looks the person up.
func (f subjectFlags) with(ctx context.Context, use func(context.Context, *postgres.Store, redis.UniversalClient, postgres.Subject) error) error {
	if err := f.validate(); err != nil {
		return err
	}
	return withTruth(ctx, f.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		client, err := redisstore.Connect(f.RedisURL)
		if err != nil {
			return err
		}
		defer client.Close()
		subject, err := f.find(ctx, store)
		if err != nil {
			return err
		}
		return use(ctx, store, client, subject)
	})
}

type subjectEraseCmd struct{ subjectFlags }

// Run erases a person, says what it did, and proves it.
func (c *subjectEraseCmd) Run(ctx context.Context, w *world) error {
	return c.with(ctx, func(ctx context.Context, store *postgres.Store, client redis.UniversalClient, subject postgres.Subject) error {
		erased, err := erase(ctx, store, client, subject, w)
		if len(erased) > 0 {
			tell(w.stdout, erased)
		}
		if err != nil {
			return err
		}
		left, err := search(ctx, store, client, newTraces(subject))
		if err != nil {
			return fmt.Errorf("it is erased, but what is left could not be searched for; run it again: %w", err)
		}
		fmt.Fprintf(w.stdout, "\nsearched %d rows of Postgres and %d values of Redis: %d left\n", left.rows, left.values, left.found)
		for _, where := range left.where {
			fmt.Fprintln(w.stdout, "  "+where)
		}
		if left.found > 0 {
			return errors.New("something of them is left: look at it, or run this again when it was only on its way")
		}
		return nil
	})
}

// erase first sees to it that nothing new comes, then takes away what is old, and the names last: so that it can be run again after it was broken off.
func erase(ctx context.Context, store *postgres.Store, client redis.UniversalClient, subject postgres.Subject, w *world) (erased []postgres.Erased, err error) {
	traces, now := newTraces(subject), time.Now()
	if subject.Courier.IsZero() {
		if erased, err = store.EraseRecipients(ctx, subject.Deliveries, now); err != nil {
			return erased, err
		}
	} else if erased, err = eraseCourier(ctx, store, client, subject.Courier, now, w); err != nil {
		return erased, err
	}
	copies, err := redisstore.EraseCopies(ctx, client, traces.copied, subject.Courier.String())
	return append(erased, postgres.Erased{Table: "Redis: copies", Rows: int64(copies)}), err
}

func eraseCourier(ctx context.Context, store *postgres.Store, client redis.UniversalClient, courier tracking.ID, now time.Time, w *world) ([]postgres.Erased, error) {
	hashes, err := store.Dismiss(ctx, courier, now)
	if err != nil {
		return nil, err
	}
	erased := []postgres.Erased{{Table: "api_keys", Rows: int64(len(hashes))}}
	nodes := revoker{pubsub.NewControl(client), redisstore.New(client, store, redisstore.Config{})}
	if err := nodes.Revoke(ctx, hashes); err != nil {
		w.log.Warn("nodes could not be told that the courier's keys have ended; they notice within half a minute", "error", err)
	}
	waiting, err := pubsub.EraseWaiting(ctx, client, courier)
	erased = append(erased, postgres.Erased{Table: "Redis: backlog", Rows: int64(waiting)})
	if err != nil {
		return erased, err
	}
	track, err := store.EraseTrack(ctx, courier)
	if erased = append(erased, track...); err != nil {
		return erased, err
	}
	rest, err := store.EraseCourier(ctx, courier, now)
	return append(erased, rest...), err
}

func tell(out io.Writer, erased []postgres.Erased) {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "WHERE\tERASED")
	for _, e := range erased {
		fmt.Fprintf(table, "%s\t%d\n", e.Table, e.Rows)
	}
	_ = table.Flush()
}
