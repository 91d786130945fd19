package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"hotfoot/tracking"
)

// maxDepth bounds how deep a body may nest; nothing in the contract nests deeper than four.
const maxDepth = 8

// strictError carries what checkStrict found through huma, which keeps an error's text only.
type strictError struct{ cause *tracking.Error }

func (e strictError) Error() string { return e.cause.Message }

// checkStrict refuses what encoding/json lets through although two readers could understand it differently: trailing bytes, broken UTF-8,
// NUL characters, halves of characters, the same key twice in one object, and nesting beyond any use. The error is CodeMalformed and names the place.
func checkStrict(body []byte) *tracking.Error {
	if !utf8.Valid(body) {
		return tracking.Errorf(tracking.CodeMalformed, "the body is not valid UTF-8")
	}
	if !json.Valid(body) {
		return syntaxError(body)
	}
	w := walker{body: body}
	if err := w.value(0); err != nil {
		return &tracking.Error{
			Code: tracking.CodeMalformed, Message: w.path() + ": " + err.Error(),
			Fields: []tracking.FieldError{{Path: w.path(), Message: err.Error()}},
		}
	}
	return nil
}

func syntaxError(body []byte) *tracking.Error {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&v); err != nil {
		return tracking.Errorf(tracking.CodeMalformed, "the body is not valid JSON: %s", err)
	}
	return tracking.Errorf(tracking.CodeMalformed, "something follows the JSON value at byte %d", decoder.InputOffset())
}

// walker goes once over a body that is known to be valid JSON, without building anything but the path it is on.
type walker struct {
	body []byte
	at   int
	// trail is where the walker is: keys and indexes from the root.
	trail []string
}

func (w *walker) path() string {
	path := ""
	for _, part := range w.trail {
		if part[0] != '[' && path != "" {
			path += "."
		}
		path += part
	}
	if path == "" {
		return "body"
	}
	return path
}

func (w *walker) skipSpace() {
	for w.at < len(w.body) {
		switch w.body[w.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			w.at++
		default:
			return
		}
	}
}

func (w *walker) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nests deeper than %d levels", maxDepth)
	}
	w.skipSpace()
	switch w.body[w.at] {
	case '{':
		return w.object(depth)
	case '[':
		return w.array(depth)
	case '"':
		_, err := w.text()
		return err
	}
	for w.at < len(w.body) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(w.body[w.at])) {
		w.at++
	}
	return nil
}

func (w *walker) object(depth int) error {
	w.at++
	var seen [][]byte
	for {
		w.skipSpace()
		if w.body[w.at] == '}' {
			w.at++
			return nil
		}
		key, err := w.text()
		if err != nil {
			return err
		}
		for _, other := range seen {
			if bytes.Equal(key, other) {
				w.trail = append(w.trail, printable(key))
				return fmt.Errorf("stands in the object twice")
			}
		}
		if len(seen) == 256 {
			return fmt.Errorf("has more than 256 keys")
		}
		seen = append(seen, key)
		w.trail = append(w.trail, printable(key))
		if err := w.value(depth + 1); err != nil {
			return err
		}
		w.trail = w.trail[:len(w.trail)-1]
	}
}

func (w *walker) array(depth int) error {
	w.at++
	for i := 0; ; i++ {
		w.skipSpace()
		if w.body[w.at] == ']' {
			w.at++
			return nil
		}
		w.trail = append(w.trail, "["+strconv.Itoa(i)+"]")
		if err := w.value(depth + 1); err != nil {
			return err
		}
		w.trail = w.trail[:len(w.trail)-1]
	}
}

// text reads a string and answers its value; escapes are resolved so that one key has one spelling.
func (w *walker) text() ([]byte, error) {
	start := w.at
	plain := true
	for w.at++; w.body[w.at] != '"'; w.at++ {
		if w.body[w.at] == '\\' {
			plain = false
			w.at++
		}
	}
	w.at++
	raw := w.body[start:w.at]
	if plain {
		return raw[1 : len(raw)-1], nil
	}
	if loneSurrogate(raw) {
		return nil, fmt.Errorf("must not contain half a character, as \\ud83d is without the other half")
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if bytes.IndexByte([]byte(s), 0) >= 0 {
		return nil, fmt.Errorf("must not contain a NUL character")
	}
	return []byte(s), nil
}

// loneSurrogate reports whether a string of valid JSON escapes half of a character (RFC 8259 section 8.2): encoding/json replaces it, others keep it, so that
// two texts could be one.
func loneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		first := escaped(raw[i-1:])
		if !utf16.IsSurrogate(first) {
			continue
		}
		if i += 5; utf16.DecodeRune(first, escaped(raw[i:])) == unicode.ReplacementChar {
			return true
		}
		i += 5
	}
	return false
}

// escaped is the code unit of a \uXXXX that a text begins with; 0 when it begins with none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

// printable is a key as it may stand in an error: short, and never empty.
func printable(key []byte) string {
	if len(key) == 0 {
		return `""`
	}
	if len(key) > 40 {
		return strconv.Quote(string(key[:40])) + "…"
	}
	if key[0] == '[' || !utf8.Valid(key) {
		return strconv.Quote(string(key))
	}
	return string(key)
}

// unmarshalStrict is how huma reads bodies. It reads twice, first to check against the schema and then into the handler's struct; the
// check of the bytes is done with the first.
func unmarshalStrict(body []byte, v any) error {
	if _, first := v.(*any); first {
		if err := checkStrict(body); err != nil {
			return strictError{err}
		}
	}
	return json.Unmarshal(body, v)
}
