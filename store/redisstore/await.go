package redisstore

import (
	"context"
	"time"
)

// How what other processes read is looked for, up to fillBatch at a time.
const (
	awaitEvery = 3 * time.Millisecond // how much later a reader here has it than one there
	awaitShare = 4                    // after looking in vain: times as long as that took is left to others
)

// divide claims a group's members: ours are to be read here, theirs another process reads, and what Redis has by now is answered. Those who read directly
// claim only so that others need not read it too.
func (f *fills) divide(ctx context.Context, group []*fill) (ours, theirs []*fill) {
	var open []*fill
	f.mu.Lock()
	for _, wanted := range group {
		if wanted.keep && !wanted.ours {
			open = append(open, wanted)
		} else {
			ours = append(ours, wanted)
		}
	}
	f.mu.Unlock()
	if len(open) == 0 {
		return ours, nil
	}
	runs := f.runs()
	claims, err := f.claim(ctx, idsOf(open))
	if err != nil {
		return append(ours, open...), nil // without Redis there is nothing to share
	}
	var filled, needless []*fill
	for i, wanted := range open {
		c := claims[i]
		wanted.ours, wanted.told = c.ours, c.told
		switch {
		case wanted.direct || c.ours && c.found == nil:
			ours = append(ours, wanted)
		case c.found == nil:
			theirs = append(theirs, wanted)
		default:
			wanted.record = c.found
			filled = append(filled, wanted)
			if c.ours {
				needless = append(needless, wanted)
			}
		}
	}
	if len(needless) > 0 {
		f.release(ctx, idsOf(needless), make([]bool, len(needless)))
	}
	f.count.awaited.Add(float64(len(filled)))
	f.done(runs, filled, nil)
	return ours, theirs
}

// await has fills looked for until another process has made them, or has stopped making them.
func (f *fills) await(theirs []*fill) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.awaited = append(f.awaited, theirs...)
	if !f.awaiting && len(f.awaited) > 0 {
		f.awaiting = true
		f.workers.Go(f.attend)
	}
}

// attend looks for what is awaited until nothing is. Apart from the queries, so that what is there already does not wait for what is slow.
func (f *fills) attend() {
	timer := time.NewTimer(awaitEvery)
	defer timer.Stop()
	for range timer.C {
		group := f.due()
		if len(group) == 0 {
			return
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), f.limit)
		ours, theirs := f.divide(ctx, group)
		cancel()
		f.await(theirs)
		f.mu.Lock()
		for _, wanted := range ours {
			// Either it is claimed, or there is nobody to wait for.
			wanted.direct = true
		}
		// They have waited longer than the others.
		waiting := f.queue
		f.queue = ours
		f.enqueue(waiting...)
		f.mu.Unlock()
		pause := time.Duration(0)
		if 2*len(theirs) > len(group) {
			pause = max(awaitEvery, awaitShare*time.Since(began))
		}
		timer.Reset(pause)
	}
}

// due takes those that have waited longest. With the end of the node nobody waits for others any more.
func (f *fills) due() []*fill {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		for _, wanted := range f.awaited {
			wanted.direct = true
		}
		f.enqueue(f.awaited...)
		f.awaited = nil
	}
	group := f.awaited[:min(len(f.awaited), fillBatch)]
	f.awaited = f.awaited[len(group):]
	if len(group) == 0 {
		f.awaited, f.awaiting = nil, false
	}
	return group
}
