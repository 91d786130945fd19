package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

var _ tracking.HotBoards = (*Store)(nil)

var (
	//go:embed board.lua
	boardLua string
	//go:embed boardbegin.lua
	boardBeginLua string
	//go:embed boardread.lua
	boardReadLua string

	boardScript      = redis.NewScript(boardLua)
	boardBeginScript = redis.NewScript(boardBeginLua)
	boardReadScript  = redis.NewScript(boardReadLua)
)

// boardChunk is how many deliveries are counted by one script: others wait for it.
const boardChunk = 200

// boardTTL is how long a board stays from when it was filled: to the end of the day after its own, wherever in its day that was.
func boardTTL() int { return int((48*time.Hour + rand.N(6*time.Hour)).Seconds()) }

func boardKeys(merchant tracking.ID, day tracking.Day) []string {
	order, scores, counted := key.Board(merchant, day)
	return []string{order, scores, counted}
}

// Board implements tracking.HotBoards.
func (s *Store) Board(ctx context.Context, merchant tracking.ID, day tracking.Day, limit int) ([]tracking.Standing, error) {
	run := s.runsNow()[key.Partition(merchant)]
	best, err := boardReadScript.Run(ctx, s.client, boardKeys(merchant, day), s.epoch.Load(), run, limit).StringSlice()
	if errors.Is(err, redis.Nil) {
		return nil, tracking.Errorf(tracking.CodeNotFound, "no such board")
	}
	if err != nil {
		return nil, unavailable(err)
	}
	standings := make([]tracking.Standing, len(best)/2)
	for i := range standings {
		of := &standings[i]
		if of.CourierID, err = tracking.ParseID(best[2*i]); err == nil {
			_, err = fmt.Sscanf(best[2*i+1], "%d,%d,%d", &of.Delivered, &of.Promised, &of.OnTime)
		}
		if err != nil {
			return nil, tracking.Errorf(tracking.CodeNotFound, "no such board")
		}
	}
	return standings, nil
}

var errBoardMoved = tracking.Errorf(tracking.CodeConflict, "the board was begun anew, or history was rewritten, while it was filled")

// FillBoard implements tracking.HotBoards.
func (s *Store) FillBoard(ctx context.Context, lease tracking.Lease, merchant tracking.ID, day tracking.Day, read func(context.Context) (tracking.Completions, error)) error {
	keys, run := boardKeys(merchant, day), s.runsNow()[key.Partition(merchant)]
	switch begun, err := boardBeginScript.Run(ctx, s.client, keys, lease.Fence, run, boardTTL()).Int(); {
	case err != nil:
		return unavailable(err)
	case begun == 0:
		return errBoardMoved
	}
	found, err := read(ctx)
	if err != nil {
		return err
	}
	for {
		chunk := found.All[:min(len(found.All), boardChunk)]
		found.All = found.All[len(chunk):]
		last := ""
		if len(found.All) == 0 {
			last = "1"
		}
		args := appendCompletions([]any{found.Epoch, lease.Fence, last}, chunk)
		switch counted, err := boardScript.Run(ctx, s.client, keys, args...).Int(); {
		case err != nil:
			return unavailable(err)
		case counted < 0:
			return errBoardMoved
		case last != "":
			return nil
		}
	}
}

func appendCompletions(args []any, completions []tracking.Completion) []any {
	args = slices.Grow(args, 3*len(completions))
	for _, c := range completions {
		promise := "0"
		switch {
		case c.OnTime:
			promise = "2"
		case c.Promised:
			promise = "1"
		}
		args = append(args, string(c.Delivery[:]), c.Courier.String(), promise)
	}
	return args
}

// countCompleted counts those of announced records that were delivered. It may be called again for any of them.
func (s *Store) countCompleted(ctx context.Context, records []tracking.Record) error {
	var completed []int
	for i := range records {
		if _, _, ok := records[i].Completed(); ok {
			completed = append(completed, i)
		}
	}
	if len(completed) == 0 {
		return nil
	}
	_, err := s.runAll(ctx, boardScript, len(completed), func(i int) ([]string, []any) {
		r := &records[completed[i]]
		c, day, _ := r.Completed()
		return boardKeys(r.Delivery.MerchantID, day), appendCompletions([]any{r.Epoch, "", ""}, []tracking.Completion{c})
	})
	return err
}
