package tracking

import (
	"cmp"
	"context"
	"time"
)

// Records is where a delivery's record and a courier's newest position are read, hot. Errors: CodeNotFound, CodeUnavailable.
type Records interface {
	Record(ctx context.Context, delivery ID) (Record, error)
	// Sight reads a record and where its courier is at once.
	Sight(ctx context.Context, delivery ID) (Sight, error)
	// Fresh reads the truth, whatever is hot.
	Fresh(ctx context.Context, delivery ID) (Record, error)
	// NewestOf reads many positions, in their order, nil where none is known; with the hot store away, as far as the truth has them.
	NewestOf(ctx context.Context, couriers []ID) ([]*Position, error)
}

// Sight is a delivery and where its courier is.
type Sight struct {
	Record *Record   // others have it too: it must not be changed
	Newest *Position // nil when it is not known, or nobody is on the way
	// Live is false when Newest is only as new as the truth has it, or could not be read.
	Live bool
}

// How long after its end a delivery's link still shows how it ended: LinkLife unless the operator wants it otherwise, within bounds. A customer who was
// away for a moment is to read that it came; and a link that lies about for months opens an address for nobody's good.
const (
	LinkLife    = 7 * 24 * time.Hour
	MinLinkLife = time.Minute
	MaxLinkLife = 90 * 24 * time.Hour
)

// missTime is how long the answer to a token that opens nothing takes, at least. A forgery is known in a microsecond, a link that has ended only once a store
// was asked, which takes a few milliseconds: so nobody can tell by a watch that what they have was a link once.
const missTime = 20 * time.Millisecond

// ViewingConfig is how links are opened. The zero value has the defaults.
type ViewingConfig struct {
	// LinkLife is how long links work after their delivery has ended; 0 for LinkLife.
	LinkLife time.Duration
	// Stale says since when the truth cannot be read, the zero time while it can; nil when it always can.
	Stale func() time.Time
}

// Viewing is what a customer's link opens.
type Viewing struct {
	linker   *Linker
	records  Records
	watched  func(ID) (View, bool)
	life     time.Duration
	missTime time.Duration
	stale    func() time.Time
	now      func() time.Time
}

// NewViewing ties the use case to its ports.
func NewViewing(linker *Linker, records Records, config ViewingConfig, now func() time.Time) *Viewing {
	u := &Viewing{
		linker: linker, records: records, life: cmp.Or(config.LinkLife, LinkLife), missTime: missTime, stale: config.Stale, now: now,
		watched: func(ID) (View, bool) { return View{}, false },
	}
	if u.stale == nil {
		u.stale = func() time.Time { return time.Time{} }
	}
	return u
}

// Beside has Show ask somebody first who hears everything that happens to a delivery, and so need not read it. It must be called before Show is.
func (u *Viewing) Beside(watched func(delivery ID) (View, bool)) { u.watched = watched }

// Seen is what a viewer says it has been shown; the zero Seen is nothing.
type Seen struct{ Epoch, Ver int64 }

// after reports whether a viewer has seen more than a record holds.
func (s Seen) after(r *Record) bool {
	return s.Epoch > r.Epoch || s.Epoch == r.Epoch && s.Ver > r.Delivery.Ver
}

// Open answers the delivery that a link's token is for. A viewer who has seen more than is hot is not shown less: a hot store that came back from an
// outage may have slept through what its viewers were shown meanwhile. known, unless it is nil, is asked before anything is read; it answers nil for what it
// does not know. Every token that opens nothing gets one and the same CodeNotFound after the same time, whatever is wrong with it; other errors:
// CodeUnavailable.
func (u *Viewing) Open(ctx context.Context, token string, seen Seen, known func(ID) *Record) (*Record, error) {
	came := time.Now()
	delivery, generation, err := u.linker.Open(token)
	if err != nil {
		return nil, u.missed(ctx, came)
	}
	var record *Record
	if known != nil {
		record = known(delivery)
	}
	if record == nil || seen.after(record) {
		record, err = read(ctx, u.records.Record, delivery)
	}
	if err == nil && seen.after(record) {
		record, err = read(ctx, u.records.Fresh, delivery)
	}
	if CodeOf(err) == CodeNotFound || err == nil && !record.Opens(generation, u.life, u.now()) {
		return nil, u.missed(ctx, came)
	}
	return record, err
}

// missed is the answer to a token that opens nothing, which is not given before missTime has passed since it came.
func (u *Viewing) missed(ctx context.Context, came time.Time) error {
	wait := time.NewTimer(u.missTime - time.Since(came))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	return errToken
}

// read keeps the size of a record out of its caller's stack, which is that of a socket's handshake, ten thousand times at once.
func read(ctx context.Context, from func(context.Context, ID) (Record, error), delivery ID) (*Record, error) {
	record, err := from(ctx, delivery)
	if err != nil {
		return nil, err
	}
	return &record, nil
}

// Show answers what the customer who has a link may see now. live is false when the position is only as new as the truth has it, or not known. genuine,
// unless it is nil, is asked before any store is, and only about a token that is no forgery; its error is passed on as it is. Other errors are Open's.
func (u *Viewing) Show(ctx context.Context, token string, genuine func() error) (view View, live bool, err error) {
	came := time.Now()
	delivery, generation, err := u.linker.Open(token)
	if err != nil {
		return View{}, false, u.missed(ctx, came)
	}
	if genuine != nil {
		if err := genuine(); err != nil {
			return View{}, false, err
		}
	}
	// Whoever watches may hear a moment late that there is a new link; that it opens nothing is not for them to say.
	if view, ok := u.watched(delivery); ok && view.Record.Opens(generation, u.life, u.now()) {
		return view, true, nil
	}
	sight, err := u.records.Sight(ctx, delivery)
	if CodeOf(err) == CodeNotFound || err == nil && !sight.Record.Opens(generation, u.life, u.now()) {
		return View{}, false, u.missed(ctx, came)
	}
	if err != nil {
		return View{}, false, err
	}
	view = See(sight.Record, sight.Newest, u.now())
	view.StaleSince = u.stale()
	return view, sight.Live, nil
}
