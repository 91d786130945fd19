package tracking

import (
	"context"
	"time"
)

// Standing is what a courier has delivered on a day. Deliveries that nobody was promised a time for count as delivered, and are left out of the share.
type Standing struct {
	CourierID ID
	Name      string // as far as it is known
	Delivered int
	Promised  int // of those delivered, the ones whose window had an end
	OnTime    int // of those promised, the ones delivered by then
}

// Share is which part of what was promised came on time; known is false when nothing was promised.
func (s Standing) Share() (share float64, known bool) {
	if s.Promised == 0 {
		return 0, false
	}
	return float64(s.OnTime) / float64(s.Promised), true
}

// Completion is a delivery that was delivered, as far as a board counts it.
type Completion struct {
	Delivery, Courier ID
	Promised, OnTime  bool
}

// Completed is the record's completion, the merchant's and the day that it counts for; false when the delivery was not delivered.
func (r *Record) Completed() (c Completion, day Day, ok bool) {
	d := &r.Delivery
	if d.Status != Delivered {
		return c, 0, false
	}
	c = Completion{Delivery: d.ID, Courier: d.CourierID, Promised: !d.Window.To.IsZero()}
	c.OnTime = c.Promised && !d.FinishedAt.After(d.Window.To)
	return c, DayOf(d.FinishedAt), true
}

// HotBoards keep the boards of the newest days. A board is counted up as deliveries are announced, each delivery once however often that is, and is
// not believed before it was filled from the truth. Errors: CodeUnavailable.
type HotBoards interface {
	// Board answers the best, at most limit; CodeNotFound when there is no board that can be believed.
	Board(ctx context.Context, merchant ID, day Day, limit int) ([]Standing, error)
	// FillBoard begins a board anew and fills it with what read answers, which is asked after announcements are counted. CodeConflict when the
	// lease is not the newest, or history was rewritten meanwhile.
	FillBoard(ctx context.Context, lease Lease, merchant ID, day Day, read func(context.Context) (Completions, error)) error
}

// Completions are a merchant's of a day, all that were committed at one moment, and the epoch at that moment.
type Completions struct {
	All   []Completion
	Epoch int64
}

// Boards is the truth about who delivered what. Errors: CodeUnavailable.
type Boards interface {
	// Standings answers the best first, at most limit: by what they delivered, then by their share, then by id, the highest first.
	Standings(ctx context.Context, merchant ID, day Day, limit int) ([]Standing, error)
	Completions(ctx context.Context, merchant ID, day Day) (Completions, error)
	// Names answers the names of a merchant's couriers; those who are not theirs are left out.
	Names(ctx context.Context, merchant ID, couriers []ID) (map[ID]string, error)
}

// MaxStandings is how many couriers a board shows at most.
const MaxStandings = 100

// Board is a day's best couriers.
type Board struct {
	Day       Day
	AsOf      time.Time
	Standings []Standing
}

// Leaderboard says who has delivered how much on a day. Today's board and yesterday's are read hot, in one round trip. One that is not there, or is
// left of another run of the server or an earlier epoch, is filled from the truth by one node for all, while its readers are answered by the truth
// in one shared question a node. Older days are the truth's alone.
type Leaderboard struct {
	hot     HotBoards
	truth   Boards
	locks   Locks
	now     func() time.Time
	names   nameBook
	answers flights[boardOf, []Standing]
	fills   flights[boardOf, struct{}]
}

type boardOf struct {
	merchant ID
	day      Day
}

// How boards are filled.
const (
	boardAnswerLimit = 3 * time.Second  // how long the truth may take for one board's best
	boardFillLimit   = 30 * time.Second // and to fill one: 20,000 deliveries took 1.6 s on two busy cores
	boardFills       = 2                // at once, in this process; a board that must wait is filled for its next reader
	boardAnswers     = 64               // boards that may be asked of the truth at once
	boardLease       = boardFillLimit + 5*time.Second
)

// NewLeaderboard ties the use case to its ports. Run must run.
func NewLeaderboard(hot HotBoards, truth Boards, locks Locks, now func() time.Time) *Leaderboard {
	return &Leaderboard{
		hot: hot, truth: truth, locks: locks, now: now, names: nameBook{truth: truth, now: now},
		answers: newFlights[boardOf, []Standing](boardAnswers, boardAnswerLimit), fills: newFlights[boardOf, struct{}](boardFills, boardFillLimit),
	}
}

// Best answers a day's best couriers, at most limit and at most MaxStandings. Errors: CodeUnavailable, CodeOverloaded.
func (u *Leaderboard) Best(ctx context.Context, merchant ID, day Day, limit int) (Board, error) {
	now := u.now()
	today := DayOf(now)
	limit = min(limit, MaxStandings)
	board := Board{Day: day, AsOf: now}
	of := boardOf{merchant, day}
	if day == today || day == today-1 {
		standings, err := u.hot.Board(ctx, merchant, day, limit)
		if err == nil {
			board.Standings = standings
			u.names.fill(ctx, merchant, board.Standings)
			return board, nil
		}
		if CodeOf(err) == CodeNotFound {
			// Nobody waits for it: the truth answers this reader sooner. One that cannot start, since others are under way, starts with the next.
			_, _ = u.fills.join(of, func(ctx context.Context) (struct{}, error) { return struct{}{}, u.fill(ctx, of) })
		}
	}
	standings, err := u.answers.do(ctx, of, func(ctx context.Context) ([]Standing, error) {
		return u.truth.Standings(ctx, merchant, day, MaxStandings)
	})
	board.Standings = standings[:min(len(standings), limit)]
	return board, err
}

// fill brings a board up to date, unless another node is at it.
func (u *Leaderboard) fill(ctx context.Context, of boardOf) error {
	lease, err := u.locks.Acquire(ctx, Resource{Work: "board", Of: of.merchant}, boardLease, 0)
	if err != nil {
		return err
	}
	// Where that fails the lease ends by itself.
	defer func() { _ = u.locks.Release(ctx, lease) }()
	return u.hot.FillBoard(ctx, lease, of.merchant, of.day, func(ctx context.Context) (Completions, error) {
		return u.truth.Completions(ctx, of.merchant, of.day)
	})
}

// Run waits for what is under way when ctx ends; later readers are refused.
func (u *Leaderboard) Run(ctx context.Context) error {
	<-ctx.Done()
	u.answers.close()
	u.fills.close()
	return nil
}
