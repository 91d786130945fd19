//go:build linux

package post

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// errOverload is an answer of 503.
var errOverload = errors.New("the server is asked too much")

// maxAnswer bounds an answer, head and body: receipts of a few hundred points.
const maxAnswer = 1 << 20

var (
	endOfHead  = []byte("\r\n\r\n")
	endOfLine  = []byte("\r\n")
	lengthName = []byte("\r\nContent-Length: ")
	withOK     = []byte("HTTP/1.1 200")
	withTaken  = []byte("HTTP/1.1 202")
	withBusy   = []byte("HTTP/1.1 503")
)

// cutAnswer looks for an HTTP answer, as loop.cut does. err: it is no answer, or none whose length is told in time.
func cutAnswer(b []byte) (size int, refusal, err error) {
	end := bytes.Index(b, endOfHead)
	if end < 0 {
		if len(b) > maxAnswer {
			return 0, nil, errors.New("post: an answer whose head does not end")
		}
		return 0, nil, nil
	}
	head, _, _ := bytes.Cut(b[:end+len(endOfLine)], lengthName)
	if len(head) > end {
		return 0, nil, fmt.Errorf("post: an answer without a length: %q", head)
	}
	text, _, _ := bytes.Cut(b[len(head)+len(lengthName):end+len(endOfLine)], endOfLine)
	length, err := strconv.Atoi(string(text))
	if err != nil || length < 0 || length > maxAnswer {
		return 0, nil, fmt.Errorf("post: an answer of %q bytes", text)
	}
	if size = end + len(endOfHead) + length; len(b) < size {
		return 0, nil, nil
	}
	if bytes.HasPrefix(b, withOK) || bytes.HasPrefix(b, withTaken) {
		return size, nil, nil
	}
	body := bytes.TrimSpace(b[end:size])
	if bytes.HasPrefix(b, withBusy) {
		return size, fmt.Errorf("%w: %s", errOverload, body), nil
	}
	status, _, _ := bytes.Cut(head, endOfLine)
	return size, fmt.Errorf("post: %s: %s", status, body), nil
}
