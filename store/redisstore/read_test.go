package redisstore

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"hotfoot/tracking"
)

// Who shares a round trip, and when a second leaves beside the first. What round trips bring from Redis is TestStore_Sight's.
func TestReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var gone []int // how many questions each trip had, in the order in which they left
		arrive := make(chan struct{})
		r := &reads{limit: readLimit, ask: func(_ context.Context, questions []question) ([]answer, error) {
			mu.Lock()
			gone = append(gone, len(questions))
			mu.Unlock()
			<-arrive
			answers := make([]answer, len(questions))
			for i, q := range questions {
				answers[i].fields = []any{q.delivery}
			}
			return answers, nil
		}}
		asked := 0
		ask := func(n int) {
			for range n {
				asked++
				q := question{delivery: tracking.ID{byte(asked >> 8), byte(asked)}}
				go func() {
					a, err := r.get(t.Context(), q)
					if err != nil || a.fields[0] != q.delivery {
						t.Errorf("%v was answered %v, %v", q, a, err)
					}
				}()
			}
			synctest.Wait()
		}
		left := func(when string, want ...int) {
			t.Helper()
			synctest.Wait()
			if !slices.Equal(gone, want) {
				t.Errorf("%s: trips of %v have left, want %v", when, gone, want)
			}
		}
		ask(1)
		left("nobody was under way", 1)
		ask(readEnough - 1)
		left("one is under way, and too few wait", 1)
		ask(1)
		left("one is under way, and enough wait", 1, readEnough)
		ask(readBatch + 1)
		left("two are under way", 1, readEnough)
		arrive <- struct{}{}
		left("one of two is back", 1, readEnough, readBatch)
		arrive <- struct{}{}
		left("one of two is back, and too few wait", 1, readEnough, readBatch)
		arrive <- struct{}{}
		left("none is under way, and one waits", 1, readEnough, readBatch, 1)
		close(arrive)
		r.close()
		synctest.Wait()
	})
}
