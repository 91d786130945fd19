package trackfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decodeCSV reads a table with a header. Columns are known by name and may stand in any order; ts, lat and lon are
// needed, unknown columns are left out. A column named cab, courier or device splits the rows into one track each.
func decodeCSV(r io.Reader, fallbackName string) ([]Track, error) {
	in := csv.NewReader(skipBOM(r))
	in.ReuseRecord = true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty file: want a header line")
	}
	if err != nil {
		return nil, err
	}
	cols, err := newColumns(head)
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}

	var tracks []Track
	index := map[string]int{}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return tracks, nil
		}
		if err != nil {
			return nil, err // names its line itself
		}
		p, err := cols.point(row)
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		name := cols.text(row, "device")
		if name == "" {
			name = fallbackName
		}
		i, known := index[name]
		if !known {
			i = len(tracks)
			index[strings.Clone(name)] = i
			tracks = append(tracks, Track{Name: strings.Clone(name)})
		}
		tracks[i].Points = append(tracks[i].Points, p)
	}
}

// columnNames maps the names seen in the wild to ours.
var columnNames = map[string]string{
	"cab": "device", "courier": "device", "device": "device",
	"ts": "ts", "time": "ts", "timestamp": "ts",
	"lat": "lat", "latitude": "lat", "lon": "lon", "lng": "lon", "longitude": "lon",
	"accuracy_m": "accuracy", "accuracy": "accuracy",
	"speed_mps": "speed", "speed": "speed",
	"bearing_deg": "course", "bearing": "course", "heading_deg": "course", "heading": "course",
	"altitude_m": "altitude", "altitude": "altitude",
}

type columns map[string]int

func newColumns(head []string) (columns, error) {
	cols := columns{}
	for i, name := range head {
		if ours, known := columnNames[strings.ToLower(strings.TrimSpace(name))]; known {
			if _, twice := cols[ours]; twice {
				return nil, fmt.Errorf("two columns for %s", ours)
			}
			cols[ours] = i
		}
	}
	for _, need := range []string{"ts", "lat", "lon"} {
		if _, ok := cols[need]; !ok {
			return nil, fmt.Errorf("no column %s in the header %q", need, strings.Join(head, ","))
		}
	}
	return cols, nil
}

func (c columns) text(row []string, name string) string {
	if i, ok := c[name]; ok {
		return row[i]
	}
	return ""
}

func (c columns) point(row []string) (p Point, err error) {
	read := func(name string, set func(string) error) {
		if err == nil {
			if e := set(c.text(row, name)); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	}
	read("ts", func(s string) (e error) { p.Time, e = unixOrTimestamp(s); return })
	read("lat", func(s string) (e error) { p.Lat, e = degrees(s, 90); return })
	read("lon", func(s string) (e error) { p.Lon, e = degrees(s, 180); return })
	read("accuracy", func(s string) (e error) { p.AccuracyM, e = unsigned(s); return })
	read("speed", func(s string) (e error) { p.SpeedMPS, e = unsigned(s); return })
	read("course", func(s string) (e error) { p.HeadingDeg, e = course(s); return })
	read("altitude", func(s string) (e error) { p.AltitudeM, e = optional(s); return })
	return p, err
}
