package trackfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number reads a finite decimal; recorders pad with blanks.
func number(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return v, nil
}

// degrees reads a coordinate whose size is at most limit.
func degrees(text string, limit float64) (float64, error) {
	if strings.TrimSpace(text) == "" {
		return 0, errors.New("missing")
	}
	v, err := number(text)
	if err != nil {
		return 0, err
	}
	if math.Abs(v) > limit {
		return 0, fmt.Errorf("%v is outside -%v..%v", v, limit, limit)
	}
	return v, nil
}

// optional reads a measurement that may be absent.
func optional(text string) (*float64, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	v, err := number(text)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// unsigned is optional for quantities that cannot be negative: there -1 is how phones write "unknown".
func unsigned(text string) (*float64, error) {
	v, err := optional(text)
	if err != nil || v == nil || *v < 0 {
		return nil, err
	}
	return v, nil
}

// course is unsigned brought into 0..360: some recorders write 360 for north.
func course(text string) (*float64, error) {
	v, err := unsigned(text)
	if err != nil || v == nil {
		return nil, err
	}
	turned := math.Mod(*v, 360)
	return &turned, nil
}

// timestamps are ISO 8601. GPX asks for UTC, and some recorders then leave the Z out.
var timestamps = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05"}

func timestamp(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range timestamps {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
}

// maxUnix is the year 2286; beyond it the column is in milliseconds, and would overflow what follows.
const maxUnix = 1e10

// unixOrTimestamp reads Unix seconds with an optional fraction, or an ISO 8601 time.
func unixOrTimestamp(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	v, err := number(text)
	if err != nil {
		return timestamp(text)
	}
	if v <= 0 || v >= maxUnix {
		return time.Time{}, fmt.Errorf("%q is not a time in Unix seconds", text)
	}
	// Microseconds are finer than any recorder and coarse enough to be exact in a float64 of this size.
	return time.UnixMicro(int64(math.Round(v * 1e6))).UTC(), nil
}
