package tracking

import (
	"context"
	"sync"
	"time"
)

// nameBook remembers for a while what couriers are called, so that a hot board does not ask the truth each time it is read.
type nameBook struct {
	truth Boards
	now   func() time.Time

	mu    sync.Mutex
	known map[ID]named
}

type named struct {
	name  string
	until time.Time
}

// How names are remembered.
const (
	nameLife = 30 * time.Second // a courier who is given another name is called by it everywhere after this
	maxNames = 10_000           // of which all are forgotten together: at half a minute's life that is no loss
)

// fill sets names; with the truth away those that were known before are used, however old, and the others stay empty.
func (n *nameBook) fill(ctx context.Context, merchant ID, standings []Standing) {
	missing := n.recall(standings)
	if len(missing) == 0 {
		return
	}
	found, err := n.truth.Names(ctx, merchant, missing)
	if err != nil {
		return
	}
	n.remember(found)
	for i := range standings {
		if name, ok := found[standings[i].CourierID]; ok {
			standings[i].Name = name
		}
	}
}

// recall sets what is known, and answers whose name is not, or not for certain any more.
func (n *nameBook) recall(standings []Standing) (missing []ID) {
	now := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range standings {
		known, ok := n.known[standings[i].CourierID]
		standings[i].Name = known.name
		if !ok || now.After(known.until) {
			missing = append(missing, standings[i].CourierID)
		}
	}
	return missing
}

func (n *nameBook) remember(found map[ID]string) {
	until := n.now().Add(nameLife)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil || len(n.known)+len(found) > maxNames {
		n.known = map[ID]named{}
	}
	for id, name := range found {
		n.known[id] = named{name, until}
	}
}
