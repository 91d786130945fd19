// Package trackfile reads recorded tracks from GPX and CSV files, also gzipped.
//
//	ride.gpx          GPX 1.0, 1.1 ──┐
//	cabs.csv.gz       cab,ts,lat,lon ├─► []Track ─► []Point, in the file's order
//	phone.csv         ts,lat,lon,... ┘
//
// Guarantees: a point that is returned has a finite position on Earth; what the file does not say, or says with the
// recorder's sign for "unknown" (a negative speed, accuracy or course), is nil. No point is sorted, merged or dropped:
// points out of order and repeated points are what real recorders write, and are what a replay is for. Errors name
// the file, the line and what is wrong.
//
// All functions are safe for concurrent use.
package trackfile

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Point is one recorded fix. Time is zero when the file gives none.
type Point struct {
	Time       time.Time
	Lat, Lon   float64
	AccuracyM  *float64
	SpeedMPS   *float64
	HeadingDeg *float64
	AltitudeM  *float64
}

// Track is what one device recorded: a <trk> of a GPX file, a cab of a CSV file or the whole CSV file.
type Track struct {
	Name   string
	Points []Point
}

var (
	// ErrNoTimes reports a track that cannot be replayed because none of its points has a time.
	ErrNoTimes = errors.New("track without times")

	// ErrNoTracks reports a readable file without a single track point.
	ErrNoTracks = errors.New("no track points")
)

// ReadFile reads all tracks of a .gpx or .csv file, either of them optionally .gz. Tracks without points are left out.
// When some tracks have no times, all tracks are returned together with an error that wraps ErrNoTimes and names them.
func ReadFile(path string) ([]Track, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read track file: %w", err)
	}
	defer f.Close()

	var r io.Reader = bufio.NewReader(f)
	name := strings.ToLower(filepath.Base(path))
	if plain, zipped := strings.CutSuffix(name, ".gz"); zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		r, name = z, plain
	}
	tracks, err := decode(filepath.Ext(name), stem(path), r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := check(tracks); err != nil {
		return tracks, fmt.Errorf("%s: %w", path, err)
	}
	return tracks, nil
}

func decode(ext, fallbackName string, r io.Reader) ([]Track, error) {
	var tracks []Track
	var err error
	switch ext {
	case ".gpx":
		tracks, err = decodeGPX(r, fallbackName)
	case ".csv":
		tracks, err = decodeCSV(r, fallbackName)
	default:
		return nil, fmt.Errorf("unknown kind of file %q: want .gpx or .csv, or either with .gz", ext)
	}
	if err == nil && len(tracks) == 0 {
		err = ErrNoTracks
	}
	return tracks, err
}

// check names the tracks none of whose points has a time.
func check(tracks []Track) error {
	var untimed []string
	for _, t := range tracks {
		if !t.timed() {
			untimed = append(untimed, t.Name)
		}
	}
	if untimed == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNoTimes, strings.Join(untimed, ", "))
}

func (t Track) timed() bool {
	for _, p := range t.Points {
		if !p.Time.IsZero() {
			return true
		}
	}
	return false
}

// stem is the file's name without folder and endings; it names tracks that have no name of their own.
func stem(path string) string {
	name := filepath.Base(path)
	if strings.EqualFold(filepath.Ext(name), ".gz") {
		name = name[:len(name)-len(".gz")]
	}
	return strings.TrimSuffix(name, filepath.Ext(name))
}
