package api

import "net/http"

// What every answer says to browsers, whoever made it: an answer that is no page of ours loads nothing, is shown in no frame, is not guessed to be something
// else, names nobody it came from, and is no part of another site. Pages have a policy of their own in place of the first. The slices are shared by all
// answers, and nothing is allocated for one.
var (
	contentPolicy  = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	contentOptions = []string{"nosniff"}
	referrerPolicy = []string{"no-referrer"}
	resourcePolicy = []string{"same-origin"}
	// transportPolicy holds a year, for this host alone: what else stands under its name is not ours to decide about.
	transportPolicy = []string{"max-age=31536000"}
	// Of what a key or a link opens, and of a page that a link does.
	storePolicy  = []string{"no-store"}
	robotsPolicy = []string{"noindex, nofollow"}
	jsonContent  = []string{"application/json"}
)

// Guard has every answer carry what browsers are to be told. That a host is only to be asked by TLS is said by TLS alone: otherwise whoever tries the product
// on a plain port would be locked out of that host for a year.
func Guard(next http.Handler, proxies Proxies) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = contentPolicy
		h["X-Content-Type-Options"] = contentOptions
		h["Referrer-Policy"] = referrerPolicy
		h["Cross-Origin-Resource-Policy"] = resourcePolicy
		if proxies.Secure(r) {
			h["Strict-Transport-Security"] = transportPolicy
		}
		next.ServeHTTP(w, r)
	})
}
