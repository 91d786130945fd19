package frame

import (
	"math"
	"strconv"
	"time"
)

const null = "null"

const (
	msPerDay    = 24 * 60 * 60 * 1000
	firstDay    = -719468 // 1 March of the year 0, counted from 1970
	daysPer400  = 146097
	lastWritten = 9999 // years have four digits
)

// appendTime writes what AppendFormat(TimeLayout) would, in quotes, in a fifth of its time: a position frame has four of them. The calendar is the
// proleptic Gregorian one, by the algorithm of H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): years begin in March there,
// so that the leap day is the last.
func appendTime(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	day := floorDiv(ms, msPerDay)
	rest := int(ms - day*msPerDay)
	day -= firstDay
	era := floorDiv(day, daysPer400)
	ofEra := int(day - era*daysPer400)
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*ofYear + 2) / 153
	month := fromMarch%12 + 3
	year := yearOfEra + int(era)*400
	if month > 12 {
		month -= 12
	}
	if month < 3 {
		year++
	}
	if year < 0 || year > lastWritten {
		return append(t.UTC().AppendFormat(append(b, '"'), TimeLayout), '"')
	}
	b = append(b, '"')
	b = digits(b, year/100)
	b = append(digits(b, year%100), '-')
	b = append(digits(b, month), '-')
	b = append(digits(b, ofYear-(153*fromMarch+2)/5+1), 'T')
	b = append(digits(b, rest/3_600_000), ':')
	b = append(digits(b, rest/60_000%60), ':')
	b = append(digits(b, rest/1000%60), '.')
	b = append(b, byte('0'+rest/100%10))
	return append(digits(b, rest%100), 'Z', '"')
}

// digits writes a number from 0 to 99 as two digits.
func digits(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}

// appendFloat writes at most this many decimals, six at most, and no trailing zeros.
func appendFloat(b []byte, v float64, decimals int) []byte {
	scaled := math.RoundToEven(v * powers[decimals])
	if !(math.Abs(scaled) < 1<<53) { // not exact any more, or no number
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	n, scale := int64(scaled), int64(powers[decimals])
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/scale, 10)
	fraction := n % scale
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for fraction > 0 {
		scale /= 10
		b = append(b, byte('0'+fraction/scale))
		fraction %= scale
	}
	return b
}

// appendMoment writes a time, or null for the zero time.
func appendMoment(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, null...)
	}
	return appendTime(b, t)
}

// appendString writes what encoding/json would. Most texts need no escape.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(b, must(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendNumber writes what encoding/json would: all digits that it takes to read the same number again.
func appendNumber(b []byte, v float64) []byte {
	if a := math.Abs(v); a != 0 && a < 1e-6 || a >= 1e21 {
		return append(b, must(v)...)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}
