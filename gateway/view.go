package gateway

import "hotfoot/tracking"

// View answers what those who watch a delivery here are shown now, if somebody does and everything that happens to it is heard. It is as new as what they
// see on their sockets: a change is a moment on its way, and one whose announcement was lost is noticed by the next check.
func (h *Hub) View(id tracking.ID) (tracking.View, bool) {
	s := h.shardOf(id)
	s.mu.Lock()
	t := s.topics[id]
	s.mu.Unlock()
	if t == nil || !t.isOpen() || !t.isLive() {
		return tracking.View{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.view(h.now(), 0)
	if v.Position != nil {
		newest := *v.Position // the topic's own moves on
		v.Position = &newest
	}
	return v, t.err == nil
}
