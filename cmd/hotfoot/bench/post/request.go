//go:build linux

package post

import "strconv"

// AppendGet writes a GET. bearer is the key, "" for none; control is a Cache-Control header's value, "" for none.
func AppendGet(b []byte, path, bearer, control string) []byte {
	b = append(append(append(b, "GET "...), path...), " HTTP/1.1\r\nHost: bench"...)
	if bearer != "" {
		b = append(append(b, "\r\nAuthorization: Bearer "...), bearer...)
	}
	if control != "" {
		b = append(append(b, "\r\nCache-Control: "...), control...)
	}
	return append(b, "\r\n\r\n"...)
}

// AppendRequest writes a POST with a JSON body. prefer is a Prefer header's value, "" for none.
func AppendRequest(b []byte, path, bearer, prefer string, body []byte) []byte {
	b = append(append(append(b, "POST "...), path...), " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	if bearer != "" {
		b = append(append(b, "\r\nAuthorization: Bearer "...), bearer...)
	}
	if prefer != "" {
		b = append(append(b, "\r\nPrefer: "...), prefer...)
	}
	return append(append(b, "\r\n\r\n"...), body...)
}
