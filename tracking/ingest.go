package tracking

import (
	"context"
	"time"
)

// Hot is where the newest position of every courier lives, and where fixes wait for Postgres.
type Hot interface {
	// Place takes one courier's batch in one round trip: it checks that the courier is on duty, judges the fixes by where the courier was, keeps the
	// newest that is believed if it is newer than the one known, appends the batch to the backlog, and tells viewers last. Errors: CodeOffShift, CodeOverloaded (the backlog is full, or too
	// many reports are under way; nothing was taken), CodeUnavailable (nothing may be assumed).
	Place(ctx context.Context, p Placement) (Placed, error)
	// MarkDurable notes how far sessions have come in Postgres; a lower mark changes nothing. Marks that cannot be made now are owed: they are
	// made when the store is back, and this node answers by them meanwhile. Errors: CodeUnavailable.
	MarkDurable(ctx context.Context, marks []Mark) error
}

// Placement is one batch on its way into the hot store.
type Placement struct {
	MerchantID ID
	Batch      Batch
	Fresh      time.Time    // nothing recorded before it moves the marker
	Rule       Plausibility // by which the fixes are judged
	Keep       bool         // append the batch to the backlog; false when it is stored without, and then even a full store takes the rest
	Committed  *Mark        // how far the session has come, when the batch is in Postgres already; noted on the way
}

// Placed is what became of a Placement.
type Placed struct {
	Moved     int       // the fix of the batch that moved the marker, counted from 1; 0 for none
	Rejudged  []int     // fixes of the batch, counted from 0, that were under suspicion of a teleport and are not, or the other way round
	LiveSince time.Time // what the marker showed before; zero for nothing
	Watched   bool      // somebody was told
	Known     []Span    // seqs of the session that were there before this batch, ascending
	Durable   int64     // the session's durable seq before; nothing is known of a session that was not hot when its batch was committed
}

// Span is a run of seqs, both ends included.
type Span struct{ First, Last int64 }

// Direct stores batches of couriers who are on duty in Postgres while the caller waits.
type Direct interface {
	// Commit judges the batch by what Postgres knows of where the courier was. Errors: CodeOffShift, CodeUnavailable, CodeOverloaded.
	Commit(ctx context.Context, batch Batch, rule Plausibility) (Commitment, error)
}

// Commitment is a batch in Postgres, as it was judged, and how far its session has come with it.
type Commitment struct {
	Mark  Mark
	Batch Batch
}

// Sessions says how far a phone's session has come in Postgres; 0 for an unknown one. Errors: CodeUnavailable.
type Sessions interface {
	DurableSeq(ctx context.Context, courier ID, session string) (int64, error)
}

// Ingest takes positions from couriers.
type Ingest struct {
	hot      Hot
	direct   Direct
	sessions Sessions
	rule     Plausibility
	now      func() time.Time
}

// NewIngest ties the use case to its ports.
func NewIngest(hot Hot, direct Direct, sessions Sessions, rule Plausibility, now func() time.Time) *Ingest {
	return &Ingest{hot: hot, direct: direct, sessions: sessions, rule: rule, now: now}
}

// MaxPoints is how many points one report may carry.
const MaxPoints = 500

// Point is one entry of a report: a fix, or the reason why it is none.
type Point struct {
	Seq      int64 // from 1 within the session; 0 when the phone does not count
	Position Position
	Mock     bool // the phone says that an app made it up
	Reject   Reject
}

// PositionReport is what a phone sends at once.
type PositionReport struct {
	Session string
	Points  []Point
	// Wait is how long the phone would rather wait for its points to be durable than hear "not yet".
	Wait time.Duration
}

// Result is what became of a point.
type Result string

// The results.
const (
	ResultLive      Result = "live"      // it moved the marker
	ResultLate      Result = "late"      // stored, not shown
	ResultDuplicate Result = "duplicate" // it had been reported before
	ResultRejected  Result = "rejected"  // not taken; the receipt's code says why
)

// Receipt answers one point.
type Receipt struct {
	Seq     int64
	Result  Result
	Reject  Reject
	Suspect Suspicion // why it is kept and not believed
}

// Intake answers a report.
type Intake struct {
	AcceptedSeq int64 // highest seq of the session that is safe in the backlog or in Postgres
	DurableSeq  int64 // highest contiguous seq of the session committed in Postgres
	ResendFrom  int64 // first seq that is missing here; 0 when none is
	Durable     bool  // every point of this report is committed
	NextReport  time.Duration
	Receipts    []Receipt // one a point, in the report's order
}

// How often phones are asked to report: often while somebody watches, seldom otherwise.
const (
	reportWatched   = 3 * time.Second
	reportUnwatched = 10 * time.Second
)

// Take stores a report. A bad point never fails its batch. Errors: CodeInvalid (the report as a whole), CodeOffShift, CodeOverloaded,
// CodeUnavailable (both stores are away).
func (u *Ingest) Take(ctx context.Context, actor Actor, report PositionReport) (Intake, error) {
	if err := validSession(report.Session); err != nil {
		return Intake{}, err
	}
	now := u.now()
	batch, order := u.sort(actor, report, now)
	placement := Placement{MerchantID: actor.MerchantID, Batch: batch, Fresh: now.Add(-LiveAge), Rule: u.rule, Keep: true}
	placed, committed, err := u.store(ctx, placement, report.Wait)
	if err != nil {
		return Intake{}, err
	}
	intake := answer(report.Points, placed, committed)
	tell(intake.Receipts, stored(batch, placed, committed), order, placed.Moved)
	if intake.ResendFrom > 0 && committed == nil {
		u.verify(ctx, batch, report.Points, placed.Known, &intake)
	}
	return intake, nil
}

// store puts the batch where it is safe: the backlog, or Postgres at once when the phone asked to wait for it or the hot store is away. Only
// then is there a mark. Whichever it is, viewers are told after it is safe: nobody sees what is then refused.
func (u *Ingest) store(ctx context.Context, placement Placement, wait time.Duration) (Placed, *Commitment, error) {
	if wait > 0 {
		waiting, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		placed, committed, err := u.commit(ctx, waiting, placement)
		if err == nil || CodeOf(err) == CodeOffShift {
			return placed, committed, err
		}
		// Postgres is slow, away or refuses a point of it, which must not fail the others: the backlog takes it after all, where such points are put
		// aside, and the phone hears that it is not durable yet.
	}
	placed, err := u.hot.Place(ctx, placement)
	if CodeOf(err) == CodeUnavailable && wait == 0 && ctx.Err() == nil {
		placed, committed, err := u.commit(ctx, ctx, placement)
		placed.Known, placed.Durable = nil, 0 // it may have taken this very batch before nothing was heard of it
		return placed, committed, err
	}
	return placed, nil, err
}

// commit stores the batch in Postgres, which also says who is on duty, and shows it then.
func (u *Ingest) commit(ctx, waiting context.Context, placement Placement) (Placed, *Commitment, error) {
	committed, err := u.direct.Commit(waiting, placement.Batch, placement.Rule)
	if err != nil {
		return Placed{}, nil, err
	}
	placement.Batch = committed.Batch
	return u.show(ctx, placement, committed.Mark), &committed, nil
}

// show moves the marker after a commit, and notes how far the session has come. A hot store that is full takes both, which are no more than it
// had; one that is away owes the mark.
func (u *Ingest) show(ctx context.Context, placement Placement, mark Mark) Placed {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), showLimit)
	defer cancel()
	placement.Keep, placement.Committed = false, &mark
	placed, err := u.hot.Place(ctx, placement)
	if err != nil && mark.DurableSeq > 0 {
		_ = u.hot.MarkDurable(ctx, []Mark{mark})
	}
	return placed
}

// verify asks the truth before a phone is asked to send anything again: a hot store that came back from an outage may know less than the phone was
// told meanwhile, and what was told durable may be forgotten there. Without an answer the phone is not asked now; its next report finds the same.
func (u *Ingest) verify(ctx context.Context, batch Batch, points []Point, known []Span, intake *Intake) {
	ctx, cancel := context.WithTimeout(ctx, verifyLimit)
	defer cancel()
	durable, err := u.sessions.DurableSeq(ctx, batch.CourierID, batch.Session)
	if err != nil {
		intake.ResendFrom = 0
		return
	}
	if durable > intake.DurableSeq {
		intake.DurableSeq, intake.AcceptedSeq = durable, max(durable, intake.AcceptedSeq)
		intake.ResendFrom = firstMissing(points, known, durable, intake.AcceptedSeq)
		_ = u.hot.MarkDurable(ctx, []Mark{{CourierID: batch.CourierID, Session: batch.Session, DurableSeq: durable}})
	}
}

const verifyLimit = 250 * time.Millisecond

// showLimit is how long an answer that is durable already waits for the hot store: the next report makes good what is missed.
const showLimit = 100 * time.Millisecond

// OffShift is the refusal of a courier's positions while they are not on duty: nothing of them is kept.
func OffShift() *Error {
	return Errorf(CodeOffShift, "you are not on duty, so your position is not taken; start your shift first")
}

// answer works out what became of each point. What placed says was known is from before the report, so that its own points are no duplicates.
func answer(points []Point, placed Placed, committed *Commitment) Intake {
	intake := Intake{Durable: committed != nil, DurableSeq: placed.Durable, NextReport: reportUnwatched, Receipts: make([]Receipt, len(points))}
	if committed != nil {
		intake.DurableSeq = max(placed.Durable, committed.Mark.DurableSeq)
	}
	if placed.Watched {
		intake.NextReport = reportWatched
	}
	known := placed.Known
	allSeqs := true
	var highest int64
	if len(known) > 0 {
		highest = known[len(known)-1].Last
	}
	for i := range points {
		p := &points[i]
		r := Receipt{Seq: p.Seq, Result: ResultLate, Reject: p.Reject}
		switch {
		case p.Reject != "":
			r.Result = ResultRejected
		case p.Seq > 0 && (p.Seq <= placed.Durable || contains(known, p.Seq)),
			p.Seq == 0 && p.Position.RecordedAt.Equal(placed.LiveSince):
			r.Result = ResultDuplicate
		}
		if p.Seq == 0 {
			allSeqs = allSeqs && p.Reject != ""
		}
		highest = max(highest, p.Seq)
		intake.Receipts[i] = r
	}
	intake.AcceptedSeq = max(highest, intake.DurableSeq)
	intake.ResendFrom = firstMissing(points, known, intake.DurableSeq, intake.AcceptedSeq)
	if allSeqs && len(points) > 0 && highestOf(points) <= intake.DurableSeq {
		intake.Durable = true
	}
	return intake
}

func highestOf(points []Point) int64 {
	var h int64
	for i := range points {
		h = max(h, points[i].Seq)
	}
	return h
}

func contains(spans []Span, seq int64) bool {
	for _, s := range spans {
		if seq >= s.First && seq <= s.Last {
			return true
		}
	}
	return false
}

// firstMissing is the lowest seq above durable that neither stands in known nor in the report, when a higher one does.
func firstMissing(points []Point, known []Span, durable, highest int64) int64 {
	if highest <= durable {
		return 0
	}
	here := make(map[int64]bool, len(points))
	for i := range points {
		here[points[i].Seq] = true
	}
	for seq := durable + 1; seq < highest; {
		if here[seq] {
			seq++
			continue
		}
		next := seq
		for _, s := range known {
			if seq >= s.First && seq <= s.Last {
				next = s.Last + 1
			}
		}
		if next == seq {
			return seq
		}
		seq = next
	}
	return 0
}

// validSession keeps sessions short and printable: they become part of a key.
func validSession(s string) error {
	if len(s) > 64 {
		return Invalid("session", "must be at most 64 characters")
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return Invalid("session", "may hold letters, digits, '-', '_' and '.' only")
		}
	}
	return nil
}
