package gateway

import "net/http"

// originAllowed lets requests without an Origin (not browsers), from our own pages and from the configured sites in.
func (h *Hub) originAllowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	if origins[0] == scheme+r.Host {
		return true
	}
	for _, allowed := range h.config.Origins {
		if origins[0] == allowed {
			return true
		}
	}
	return false
}
