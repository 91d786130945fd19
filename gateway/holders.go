package gateway

import (
	"context"
	"sync"
)

// Keys is the truth about the keys that sockets were opened with. Errors: CodeUnavailable.
type Keys interface {
	// Ended answers those of the hashes whose key was revoked, has expired or never was.
	Ended(ctx context.Context, hashes [][32]byte) ([][32]byte, error)
}

// holders are the sockets that were opened with a key, by its hash: when the key ends, they do.
//
// A revocation is heard (Hub.Revoked), and since it may be missed, as while Redis is away, and since keys expire too, the truth is asked about all keys that are
// in use here now and then. So a socket outlives its key by a moment, or by half a minute at the worst.
type holders struct {
	mu    sync.Mutex
	seats map[[32]byte]map[*seat]struct{}
}

// keysBatch is how many keys the truth is asked about at once.
const keysBatch = 1000

func (h *holders) add(hash [32]byte, s *seat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seats == nil {
		h.seats = map[[32]byte]map[*seat]struct{}{}
	}
	if h.seats[hash] == nil {
		h.seats[hash] = map[*seat]struct{}{}
	}
	h.seats[hash][s] = struct{}{}
}

func (h *holders) remove(hash [32]byte, s *seat) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if delete(h.seats[hash], s); len(h.seats[hash]) == 0 {
		delete(h.seats, hash)
	}
}

func (h *holders) of(hash [32]byte) []*seat {
	h.mu.Lock()
	defer h.mu.Unlock()
	seats := make([]*seat, 0, len(h.seats[hash]))
	for s := range h.seats[hash] {
		seats = append(seats, s)
	}
	return seats
}

func (h *holders) hashes() [][32]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	hashes := make([][32]byte, 0, len(h.seats))
	for hash := range h.seats {
		hashes = append(hashes, hash)
	}
	return hashes
}

// Revoked sends away who came by a key.
func (h *Hub) Revoked(hash [32]byte) {
	for _, s := range h.holders.of(hash) {
		s.outbox.end(revoked, 0)
	}
}

// RevokedUnheard is for when revocations may have been missed: the truth is asked now.
func (h *Hub) RevokedUnheard() { h.start(func() { h.checkKeys(h.ctx) }) }

// checkKeys asks the truth about the keys that are in use. While it is away they stay: it could not have ended them either.
func (h *Hub) checkKeys(ctx context.Context) {
	if h.config.Keys == nil {
		return
	}
	hashes := h.holders.hashes()
	for len(hashes) > 0 {
		some := hashes[:min(len(hashes), keysBatch)]
		hashes = hashes[len(some):]
		asking, cancel := context.WithTimeout(ctx, readLimit)
		ended, err := h.config.Keys.Ended(asking, some)
		cancel()
		if err != nil {
			return
		}
		for _, hash := range ended {
			h.Revoked(hash)
		}
	}
}
