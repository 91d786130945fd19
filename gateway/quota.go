package gateway

import (
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"hotfoot/tracking"
)

// quota counts open sockets and streams by whose they are. It has an entry for those alone that have one open, so that Config.MaxConns bounds it too.
type quota[K comparable] struct {
	mu   sync.Mutex
	open map[K]int
}

// take counts one more; false says that most are open already.
func (t *quota[K]) take(of K, most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.open[of]
	if n >= most {
		return false
	}
	if t.open == nil {
		t.open = map[K]int{}
	}
	t.open[of] = n + 1
	return true
}

func (t *quota[K]) give(of K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[of]--; t.open[of] <= 0 {
		delete(t.open, of)
	}
}

// from is whose a request is among addresses; the zero Prefix, which is never refused, when that is not known.
func (h *Hub) from(r *http.Request) netip.Prefix {
	if h.config.Network == nil {
		return netip.Prefix{}
	}
	return h.config.Network(r)
}

// tooMany is the refusal of who has as many open as one may have. Something that one closes makes room, so it may be tried again.
func (h *Hub) tooMany(reason, whose string) *tracking.Error {
	h.metrics.refused.WithLabelValues(reason).Inc()
	return &tracking.Error{Code: tracking.CodeTooMany, Message: "too many sockets and streams are open " + whose, RetryAfter: 5*time.Second + rand.N(5*time.Second)}
}
