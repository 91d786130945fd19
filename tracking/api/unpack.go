package api

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
)

const (
	// maxRatio is how many times larger than it came a body may become. Reports become about ten times smaller by gzip, and a thousand equal ones fifty.
	maxRatio = 100
	// ratioFrom is how much may come out in any case, bytes: short bodies have odd ratios, and harm nobody.
	ratioFrom = 16 << 10
)

var (
	errEncoding = tracking.Errorf(tracking.CodeMalformed, "a body may be encoded as gzip, once, or not at all")
	errPacked   = tracking.Errorf(tracking.CodeMalformed, "the body is not what gzip makes")
	errBomb     = tracking.Errorf(tracking.CodeTooLarge, "the body is too large for one that came as gzip, or becomes too much larger by it")
)

// unpack is gin middleware that reads bodies which came as gzip, and refuses every other encoding (415, RFC 9110 section 15.5.16). What comes out is under the
// operation's limit of bytes like any body; nothing is read before the handler does, which is after it knows who asks.
func unpack(c *gin.Context) {
	said := c.Request.Header["Content-Encoding"]
	switch {
	case len(said) == 0 || len(said) == 1 && (said[0] == "" || strings.EqualFold(said[0], "identity")):
		return
	case len(said) == 1 && strings.EqualFold(said[0], "gzip"):
		// A request of its own: the server looks at the body in its own one to know whether all of it was read. Of another it believes that, and would take the
		// rest for the connection's next request.
		c.Request = c.Request.WithContext(c.Request.Context())
		c.Request.Body, c.Request.ContentLength = &unpacked{packed: counted{ReadCloser: c.Request.Body}}, -1
		return
	}
	p := problemOf(errEncoding)
	p.Status, p.Title = http.StatusUnsupportedMediaType, http.StatusText(http.StatusUnsupportedMediaType)
	c.Header("Accept-Encoding", "gzip")
	writeProblem(c, p)
}

var unzippers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// unpacked is a body as it was before it was packed.
type unpacked struct {
	packed counted
	zip    *gzip.Reader // nil before the first read
	out    int64        // bytes
	err    error
}

// Read implements io.Reader. Errors: io.EOF; errPacked, errBomb; those of the connection.
func (u *unpacked) Read(b []byte) (n int, err error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.zip == nil {
		u.zip = unzippers.Get().(*gzip.Reader)
		if err = u.zip.Reset(&u.packed); err == io.EOF {
			err = errPacked
		}
	}
	if err == nil {
		n, err = u.zip.Read(b)
	}
	if u.out += int64(n); u.out > ratioFrom && u.out > maxRatio*u.packed.n {
		n, err = 0, errBomb
	}
	switch {
	case u.packed.err != nil:
		err = u.packed.err
	case err != nil && err != io.EOF && err != errBomb:
		err = errPacked
	}
	u.err = err
	return n, err
}

// Close implements io.Closer.
func (u *unpacked) Close() error {
	if u.zip != nil {
		unzippers.Put(u.zip)
		u.zip = nil
	}
	u.err = http.ErrBodyReadAfterClose
	return u.packed.Close()
}

// counted counts what came, and takes no more than the largest body: what comes out is limited by whoever reads it, but there may be nothing in it.
type counted struct {
	io.ReadCloser
	n   int64 // bytes
	err error // what ended it, but for its end
}

// Read implements io.Reader.
func (c *counted) Read(b []byte) (int, error) {
	if c.n >= maxReport {
		c.err = errBomb
		return 0, c.err
	}
	n, err := c.ReadCloser.Read(b)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}
