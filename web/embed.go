// Package web serves the pages people see: the customer's delivery, the ops live map, the calm 404 and the API docs.
//
//	src/*.ts, *.html ──vite build──> dist/ ──embed──> Site ──┬── Customer   HTML filled from a snapshot, then live by script
//	src/i18n/*.json  ────────────────embed──────────────────>│   NotFound, Ops, Docs
//	basemap/sf.pmtiles ──────────────embed──────────────────>└── Assets (/assets/), Basemap (/map/)
//
// A customer page says everything that is known in its HTML, so it is useful without scripts, sockets or WebGL; the words
// come from one catalogue per language that the scripts import too. Every page is sent with a content security policy that
// allows no inline script, no inline style and no other origin. Without a build the package still compiles, and each page
// says what to run. A Site never changes after New, so its handlers may be called by any number of goroutines.
package web

import "embed"

//go:embed all:dist
var dist embed.FS

//go:embed basemap/*.pmtiles
var basemap embed.FS

//go:embed src/i18n/*.json
var catalogues embed.FS
