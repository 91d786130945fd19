package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"sync"
	"time"
)

// basemapTag is the tiles' version for caches and for If-Range: were a new file read with an old file's directory, the map
// would show noise.
var basemapTag = sync.OnceValues(func() (map[string]string, error) {
	names, err := fs.Glob(basemap, "basemap/*.pmtiles")
	if err != nil {
		return nil, err
	}
	tags := make(map[string]string, len(names))
	for _, name := range names {
		content, err := fs.ReadFile(basemap, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		tags[path.Base(name)] = `"` + hex.EncodeToString(sum[:8]) + `"`
	}
	return tags, nil
})

// Basemap serves the embedded map tiles with range requests, which is how the map reads a few kilobytes of one large file.
// Mount it at /map/.
func (s *Site) Basemap() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		tags, err := basemapTag()
		if err != nil || tags[name] == "" {
			http.NotFound(w, r)
			return
		}
		file, err := basemap.Open(path.Join("basemap", name))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer file.Close()
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Cache-Control", "public, max-age=86400")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", tags[name])
		// Files of an embed.FS can seek; nothing is copied but the range that was asked for.
		http.ServeContent(w, r, "", time.Time{}, file.(io.ReadSeeker))
	})
}
