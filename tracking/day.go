package tracking

import "time"

// Day is a calendar day in UTC, by which everybody's days are counted: days since 1970-01-01.
type Day int64

const dayLength = 24 * time.Hour

// DayOf is the day that a moment falls on.
func DayOf(t time.Time) Day {
	seconds := t.Unix()
	day := seconds / int64(dayLength/time.Second)
	if seconds%int64(dayLength/time.Second) < 0 {
		day--
	}
	return Day(day)
}

// ParseDay reads "2026-03-04". The error is CodeInvalid and names no field, since it does not know which.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, Errorf(CodeInvalid, "not a day: want one such as 2026-03-04")
	}
	return DayOf(t), nil
}

// Start is the day's first moment, and Next().Start() the first after it.
func (d Day) Start() time.Time { return time.Unix(int64(d)*int64(dayLength/time.Second), 0).UTC() }

// Next is the day after.
func (d Day) Next() Day { return d + 1 }

// String is how ParseDay reads it.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }
