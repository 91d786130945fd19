package web

import (
	"fmt"
	"net/url"
	"strings"
)

// contentSecurityPolicy allows what the pages need and nothing else: files and sockets of this origin, and images the map
// makes itself. Browsers that predate CSP 3 do not count ws:// as 'self', hence the public origin's socket form.
func contentSecurityPolicy(publicURL, mapStyleURL string) (string, error) {
	connect, images := "'self'", "'self' data: blob:"
	if publicURL != "" {
		origin, err := webURL("PublicURL", publicURL)
		if err != nil {
			return "", err
		}
		connect += " " + strings.Replace(origin.Scheme, "http", "ws", 1) + "://" + origin.Host
	}
	fonts := "'self'"
	if mapStyleURL != "" {
		style, err := webURL("MapStyleURL", mapStyleURL)
		if err != nil {
			return "", err
		}
		// The style may name tiles on any host, which only the browser learns; plain http is for one's own tile server.
		foreign := " https:"
		if style.Scheme == "http" {
			foreign += " http://" + style.Host
		}
		connect, images = connect+foreign, images+foreign
	}
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src " + images, "connect-src " + connect,
		"worker-src 'self'", "font-src " + fonts, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; "), nil
}

// permissionsPolicy takes from pages what none of them asks for, should anything foreign ever run in one: above all where its reader is.
const permissionsPolicy = "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=()"

func webURL(field, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("web: %s: %w", field, err)
	}
	// A semicolon or a space in a host would start a directive of its own.
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.ContainsAny(u.Host, "; ,'\"") {
		return nil, fmt.Errorf("web: %s: %q is not an absolute http or https URL", field, raw)
	}
	return u, nil
}
