package redisstore

import (
	"context"
	"time"
)

// awaitEvery is how often up to fillBatch of those that other processes read are looked for: what a reader there hears later than one here.
const awaitEvery = 10 * time.Millisecond

// divide claims a group's members and answers those that are to be read here. What Redis has by now is answered, and what another process reads is
// awaited; but not for those who read directly, who claim only so that what they read may be kept.
func (f *fills) divide(ctx context.Context, group []*fill) (ours []*fill) {
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
		return ours
	}
	claimed, found, err := f.claim(ctx, idsOf(open))
	if err != nil {
		return append(ours, open...) // without Redis there is nothing to share
	}
	var filled, needless, theirs []*fill
	for i, wanted := range open {
		wanted.ours = claimed[i]
		switch {
		case wanted.direct || claimed[i] && found[i] == nil:
			ours = append(ours, wanted)
		case found[i] == nil:
			theirs = append(theirs, wanted)
		default:
			wanted.record = found[i]
			filled = append(filled, wanted)
			if claimed[i] {
				needless = append(needless, wanted)
			}
		}
	}
	if len(needless) > 0 {
		f.release(ctx, idsOf(needless), make([]bool, len(needless)))
	}
	f.count.awaited.Add(float64(len(filled)))
	f.done(filled...)
	f.await(theirs)
	return ours
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
	ticker := time.NewTicker(awaitEvery)
	defer ticker.Stop()
	for range ticker.C {
		group := f.due()
		if len(group) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), fillLimit)
		ours := f.divide(ctx, group)
		cancel()
		f.mu.Lock()
		for _, wanted := range ours {
			// Either it is claimed, or there is nobody to wait for.
			wanted.direct = true
		}
		f.enqueue(ours...)
		f.mu.Unlock()
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
