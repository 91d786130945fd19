package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// newSite is a Site on a fixed clock. Tests that look at a page put its source in first (useSource), so they pass without a build.
func newSite(t testing.TB) *Site {
	t.Helper()
	site, err := New(Config{
		PublicURL: "https://track.example", Location: time.UTC,
		Now: func() time.Time { return time.Date(2026, 3, 4, 18, 10, 2, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func get(handler http.HandlerFunc, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler(w, r)
	return w
}

// useSource replaces a page by its source file, which is the template the build only adds links to.
func useSource(t testing.TB, site *Site, name string) {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := site.setPage(name, string(source)); err != nil {
		t.Fatal(err)
	}
}

func TestSite_Customer(t *testing.T) {
	t.Parallel()
	frame, err := os.ReadFile("test/frames/snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(t)
	useSource(t, site, "customer.html")
	show := func(w http.ResponseWriter, r *http.Request) { site.Customer(w, r, frame) }

	t.Run("says everything without a script", func(t *testing.T) {
		t.Parallel()
		body := get(show, "/t/x").Body.String()
		for _, want := range []string{
			"Arriving in 5–9 min", "Sam is 1 stop away", "today 18:10–18:40 UTC", "1 Main Street", "Corner Bakery", "Sam, by bike",
			`<time datetime="2026-03-04T17:58:40Z">17:58 UTC</time>`, `<li data-state="current">`, `http-equiv="refresh" content="30"`,
			`<html lang="en" dir="ltr">`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("the page does not contain %q", want)
			}
		}
	})
	t.Run("speaks the reader's language", func(t *testing.T) {
		t.Parallel()
		w := get(show, "/t/x", "Accept-Language", "fr-FR, de-AT;q=0.8, en;q=0.5")
		if got := w.Header().Get("Content-Language"); got != "de" {
			t.Errorf("Content-Language = %q, want de", got)
		}
		if !strings.Contains(w.Body.String(), "Ankunft in 5–9 Min.") {
			t.Error("the headline is not German")
		}
	})
	t.Run("keeps to itself", func(t *testing.T) {
		t.Parallel()
		h := get(show, "/t/x").Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"X-Robots-Tag": "noindex, nofollow", "Vary": "Accept-Language",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})
	t.Run("a hostile name stays text, in the HTML and in the embedded snapshot", func(t *testing.T) {
		t.Parallel()
		hostile := strings.ReplaceAll(string(frame), "Sam", `</script><script>alert(1)</script>`)
		w := get(func(w http.ResponseWriter, r *http.Request) { site.Customer(w, r, []byte(hostile)) }, "/t/x")
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("status %d, or the name became markup", w.Code)
		}
	})
	t.Run("a snapshot nobody can read is an honest 500", func(t *testing.T) {
		t.Parallel()
		w := get(func(w http.ResponseWriter, r *http.Request) { site.Customer(w, r, []byte(`{"status":`)) }, "/t/x")
		if w.Code != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", w.Code)
		}
	})
	t.Run("a finished delivery is not reloaded twice a minute", func(t *testing.T) {
		t.Parallel()
		done := strings.ReplaceAll(string(frame), `"en_route"`, `"delivered"`)
		body := get(func(w http.ResponseWriter, r *http.Request) { site.Customer(w, r, []byte(done)) }, "/t/x").Body.String()
		if !strings.Contains(body, `content="86400"`) {
			t.Error("the page of a finished delivery reloads as often as a running one")
		}
	})
}

func TestSite_NotFound(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	useSource(t, site, "notfound.html")
	first, second := get(site.NotFound, "/t/expired"), get(site.NotFound, "/t/never-was")
	if first.Code != http.StatusNotFound {
		t.Errorf("status %d, want 404", first.Code)
	}
	if first.Body.String() != second.Body.String() {
		t.Error("two links that do not work can be told apart")
	}
}

func TestSite_WithoutABuild(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	if err := site.setPage("ops.html", unbuilt); err != nil {
		t.Fatal(err)
	}
	if body := get(site.Ops, "/ops").Body.String(); !strings.Contains(body, "make web") {
		t.Errorf("the page does not say what to run: %s", body)
	}
}

func TestSite_Assets(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	site.files = fstest.MapFS{
		"assets/main-abc.js":    {Data: []byte("plain")},
		"assets/main-abc.js.gz": {Data: []byte("packed")},
	}
	serve := site.Assets().ServeHTTP

	t.Run("packed for those who accept it", func(t *testing.T) {
		t.Parallel()
		w := get(serve, "/assets/main-abc.js", "Accept-Encoding", "br, gzip")
		if w.Body.String() != "packed" || w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("got %q, encoding %q", w.Body, w.Header().Get("Content-Encoding"))
		}
		if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
			t.Errorf("Content-Type = %q", got)
		}
	})
	t.Run("plain for those who refuse it", func(t *testing.T) {
		t.Parallel()
		w := get(serve, "/assets/main-abc.js", "Accept-Encoding", "gzip;q=0")
		if w.Body.String() != "plain" || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("got %q, encoding %q", w.Body, w.Header().Get("Content-Encoding"))
		}
		if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Error("a hashed file may be kept for ever")
		}
	})
	for _, path := range []string{"/assets/none.js", "/assets/main-abc.js.gz", "/assets/../customer.html", "/assets/"} {
		t.Run("404 for "+path, func(t *testing.T) {
			t.Parallel()
			if w := get(serve, path, "Accept-Encoding", "gzip"); w.Code != http.StatusNotFound || w.Header().Get("Content-Encoding") != "" {
				t.Errorf("status %d, encoding %q", w.Code, w.Header().Get("Content-Encoding"))
			}
		})
	}
}

func TestSite_Basemap(t *testing.T) {
	t.Parallel()
	serve := newSite(t).Basemap().ServeHTTP
	w := get(serve, "/map/sf.pmtiles", "Range", "bytes=0-6")
	if w.Code != http.StatusPartialContent || w.Body.String() != "PMTiles" {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
	if w.Header().Get("ETag") == "" {
		t.Error("no ETag: a map half of an old file and half of a new one could not be noticed")
	}
	if w := get(serve, "/map/elsewhere.pmtiles"); w.Code != http.StatusNotFound {
		t.Errorf("status %d for a map we do not have", w.Code)
	}
}

func TestNew_RefusesURLsThatCouldWriteThePolicy(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"track.example", "javascript:alert(1)", "https://a.example;script-src *", "https://"} {
		for _, cfg := range []Config{{PublicURL: bad}, {MapStyleURL: bad}} {
			if _, err := New(cfg); err == nil {
				t.Errorf("%+v was accepted", cfg)
			}
		}
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	t.Parallel()
	closed, err := contentSecurityPolicy("https://track.example", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self' wss://track.example;"} {
		if !strings.Contains(closed, want) {
			t.Errorf("%q is not in %q", want, closed)
		}
	}
	if strings.Contains(closed, "unsafe") || strings.Contains(closed, "https:;") {
		t.Errorf("too open: %q", closed)
	}
	open, err := contentSecurityPolicy("", "https://tiles.example/style.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(open, "connect-src 'self' https:;") || !strings.Contains(open, "script-src 'self';") {
		t.Errorf("a foreign map style opens the wrong things: %q", open)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	words, err := loadLanguages(catalogues)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-CH,en": "de", "en;q=0.2,de;q=0.9": "de", "ja,fr": "en", "de;q=0": "en", "de;q=x,en": "en",
		strings.Repeat("de,", 1000): "en",
	} {
		if got := words.choose(header).Lang; got != want {
			t.Errorf("choose(%.40q) = %s, want %s", header, got, want)
		}
	}
	for lang, c := range words.byTag {
		for key := range words.byTag[fallback].Messages {
			if c.Messages[key] == "" {
				t.Errorf("%s has no %s", lang, key)
			}
		}
		if len(c.Messages) != len(words.byTag[fallback].Messages) {
			t.Errorf("%s has messages %s does not have", lang, fallback)
		}
	}
}

// Every page of an existing build parses and renders; without a build there is nothing to check.
func TestBuild_PagesAreTemplates(t *testing.T) {
	t.Parallel()
	site := newSite(t)
	for _, name := range pageNames {
		if _, err := fs.Stat(site.files, name); err != nil {
			t.Skipf("no build: %v", err)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{"ops": site.Ops, "docs": site.Docs} {
		if w := get(handler, "/"+name); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "/assets/") {
			t.Errorf("%s: status %d, or no script of the build", name, w.Code)
		}
	}
}
