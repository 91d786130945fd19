package web

import (
	"bytes"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// Assets serves the build's hashed files. A name never changes its content, so browsers keep them for ever; the build left
// a .gz beside each file worth compressing, and that is sent to whoever accepts it. Mount it at /assets/.
func (s *Site) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Join("assets", path.Base(r.URL.Path))
		h := w.Header()
		h.Add("Vary", "Accept-Encoding")
		h.Set("X-Content-Type-Options", "nosniff")
		stored := name
		if acceptsGzip(r.Header.Get("Accept-Encoding")) && exists(s.files, name+".gz") {
			stored = name + ".gz"
			h.Set("Content-Encoding", "gzip")
		}
		content, err := fs.ReadFile(s.files, stored)
		if err != nil || strings.HasSuffix(name, ".gz") {
			h.Del("Content-Encoding")
			http.NotFound(w, r)
			return
		}
		h.Set("Content-Type", contentType(name))
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		// The system's table may say text/plain, which nosniff turns into a blank page.
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") && strings.ReplaceAll(parameters, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

func exists(files fs.FS, name string) bool {
	_, err := fs.Stat(files, name)
	return !errors.Is(err, fs.ErrNotExist) && err == nil
}
