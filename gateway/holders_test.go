package gateway_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hotfoot/gateway"
	"hotfoot/tracking"
)

// register is the truth about keys, as far as sockets ask it.
type register struct {
	mu    sync.Mutex
	ended [][32]byte
	asked int
}

func (r *register) end(hash [32]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, hash)
}

func (r *register) Ended(_ context.Context, hashes [][32]byte) (ended [][32]byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked += len(hashes)
	for _, hash := range hashes {
		if slices.Contains(r.ended, hash) {
			ended = append(ended, hash)
		}
	}
	return ended, nil
}

// A key that ends takes the sockets along that it opened, and no others.
func TestHub_Revoked(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	keys := &register{}
	n := s.node(gateway.Config{Keys: keys}.Hasty(gateway.Hasty{Keys: 100 * time.Millisecond}))
	phone := s.hire("Sam")
	open := func(key string) []*socket {
		return []*socket{dial(t, url(n, "/ops?key="+key)), dial(t, url(n, "/courier/"+phone.CourierID.String()+"?key="+key))}
	}
	heard, unheard, stays := open("heard"), open("unheard"), open("stays")
	gone := func(sockets []*socket) {
		t.Helper()
		for _, v := range sockets {
			if code := v.closed(); code != 4003 {
				t.Errorf("closed with %d", code)
			}
		}
	}
	n.hub.Revoked(tracking.HashSecret("heard"))
	gone(heard)
	keys.end(tracking.HashSecret("unheard"))
	n.hub.RevokedUnheard()
	gone(unheard)
	n.hub.Revoked(tracking.HashSecret("heard")) // nobody is left
	// Nobody says it and nothing was missed: it is found out all the same.
	keys.end(tracking.HashSecret("expired"))
	gone(open("expired"))
	for _, v := range stays {
		select {
		case <-v.done:
			t.Error("who holds another key was sent away")
		default:
		}
	}
}
