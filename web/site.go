package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

// Config is what the pages need to know about where they are served.
type Config struct {
	// PublicURL is the origin under which browsers reach this server, for the sockets' entry in the security policy.
	// Empty means that the page's own origin is enough.
	PublicURL string
	// MapStyleURL is a MapLibre style to use instead of the built-in basemap. Its host, and whatever hosts the style
	// itself names, will see the readers' requests for tiles: the policy then allows https connections and images.
	MapStyleURL string
	// SignIn is what people call the OpenID provider with which dispatchers may sign in at /v1/session/oidc; "" for none.
	SignIn string
	// Location is the time zone of times in server-rendered text, which scripts rewrite to the reader's own.
	Location *time.Location
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Site renders the pages and serves the files they need.
type Site struct {
	policy    string
	mapStyle  string
	signIn    string
	location  *time.Location
	now       func() time.Time
	languages *languages
	pages     map[string]*template.Template
	files     fs.FS
}

// pageNames are the pages of the build; one that is missing is replaced by a page saying what to run.
var pageNames = []string{"customer.html", "notfound.html", "ops.html", "docs.html"}

// New reads the embedded build and catalogues. It fails on a malformed URL or a page that is not a valid template.
func New(cfg Config) (*Site, error) {
	policy, err := contentSecurityPolicy(cfg.PublicURL, cfg.MapStyleURL)
	if err != nil {
		return nil, err
	}
	languages, err := loadLanguages(catalogues)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("web: open build: %w", err)
	}
	site := &Site{
		policy: policy, mapStyle: cfg.MapStyleURL, signIn: cfg.SignIn, location: cfg.Location, now: cfg.Now,
		languages: languages, pages: map[string]*template.Template{}, files: files,
	}
	if site.location == nil {
		site.location = time.Local
	}
	if site.now == nil {
		site.now = time.Now
	}
	for _, name := range pageNames {
		source, err := fs.ReadFile(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			source = []byte(unbuilt)
		} else if err != nil {
			return nil, fmt.Errorf("web: read %s: %w", name, err)
		}
		if err := site.setPage(name, string(source)); err != nil {
			return nil, err
		}
	}
	return site, nil
}

func (s *Site) setPage(name, source string) error {
	parsed, err := template.New(name).Parse(source)
	if err != nil {
		return fmt.Errorf("web: parse %s: %w", name, err)
	}
	s.pages[name] = parsed
	return nil
}

const unbuilt = `<!doctype html><html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
	`<title>Hotfoot</title><p>{{.T "unbuilt.text"}}</p></html>`

// page is what every template may use.
type page struct {
	Lang, Dir string
	MapStyle  string
	SignIn    string
	words     *catalogue
}

// T is a message of the catalogue, with its {placeholders} filled from name, value pairs.
func (p page) T(key string, pairs ...string) string { return p.words.text(key, pairs...) }

func (s *Site) newPage(r *http.Request) page {
	words := s.languages.choose(r.Header.Get("Accept-Language"))
	return page{Lang: words.Lang, Dir: words.Dir, MapStyle: s.mapStyle, SignIn: s.signIn, words: words}
}

// NotFound answers 404 with the same calm page for every link that does not work, whatever the reason.
func (s *Site) NotFound(w http.ResponseWriter, r *http.Request) {
	private(w.Header())
	p := s.newPage(r)
	s.render(w, http.StatusNotFound, "notfound.html", p, p.Lang)
}

// Ops answers with the shell of the ops live map; everything in it comes through the API with the reader's key.
func (s *Site) Ops(w http.ResponseWriter, r *http.Request) {
	private(w.Header())
	p := s.newPage(r)
	s.render(w, http.StatusOK, "ops.html", p, p.Lang)
}

// Docs answers with the page that renders /openapi.json.
func (s *Site) Docs(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	p := s.newPage(r)
	s.render(w, http.StatusOK, "docs.html", p, p.Lang)
}

// render executes the page before the first byte is sent, so a failure is an honest 500 and never half a page.
func (s *Site) render(w http.ResponseWriter, status int, name string, data any, lang string) {
	var body bytes.Buffer
	if err := s.pages[name].Execute(&body, data); err != nil {
		http.Error(w, "The page could not be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Security-Policy", s.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// private keeps a page that only its link's holder may see out of caches and search engines.
func private(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex, nofollow")
}
