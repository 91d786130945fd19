package trackfile

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decodeGPX reads the tracks of a GPX file and joins the segments of each. Waypoints and routes are plans, not
// recordings, and are left out. Elements are known by their local names: files without a namespace, or with the
// measurements in some vendor's extension, are common.
func decodeGPX(r io.Reader, fallbackName string) ([]Track, error) {
	d := gpxDecoder{xml: xml.NewDecoder(skipBOM(r))}
	d.xml.CharsetReader = charset
	for {
		tok, err := d.xml.Token()
		if errors.Is(err, io.EOF) {
			if !d.sawRoot {
				return nil, errors.New("not a GPX file: no <gpx> element")
			}
			return named(d.tracks, fallbackName), nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", d.line(), err)
		}
		if err := d.token(tok); err != nil {
			return nil, fmt.Errorf("line %d: %w", d.line(), err)
		}
	}
}

type gpxDecoder struct {
	xml     *xml.Decoder
	sawRoot bool
	path    []string // local names of the open elements
	track   *Track   // the open <trk>
	point   *Point   // the open <trkpt>
	text    strings.Builder
	tracks  []Track
}

func (d *gpxDecoder) line() int {
	line, _ := d.xml.InputPos()
	return line
}

func (d *gpxDecoder) token(tok xml.Token) error {
	switch tok := tok.(type) {
	case xml.StartElement:
		d.path = append(d.path, tok.Name.Local)
		d.text.Reset()
		return d.open(tok)
	case xml.CharData:
		d.text.Write(tok)
	case xml.EndElement:
		err := d.close(tok.Name.Local)
		d.path = d.path[:len(d.path)-1]
		d.text.Reset()
		return err
	}
	return nil
}

func (d *gpxDecoder) open(el xml.StartElement) error {
	switch {
	case len(d.path) == 1:
		if el.Name.Local != "gpx" {
			return fmt.Errorf("<%s>: not a GPX file", el.Name.Local)
		}
		d.sawRoot = true
	case el.Name.Local == "trk" && d.track == nil:
		d.track = &Track{}
	case el.Name.Local == "trkpt" && d.track != nil && d.point == nil && !pauseMark(el):
		lat, err := degrees(attribute(el, "lat"), 90)
		if err != nil {
			return fmt.Errorf("<trkpt> lat: %w", err)
		}
		lon, err := degrees(attribute(el, "lon"), 180)
		if err != nil {
			return fmt.Errorf("<trkpt> lon: %w", err)
		}
		d.point = &Point{Lat: lat, Lon: lon}
	}
	return nil
}

func (d *gpxDecoder) close(name string) error {
	switch {
	case d.point != nil && name == "trkpt":
		d.track.Points = append(d.track.Points, *d.point)
		d.point = nil
	case d.point != nil:
		if err := d.measurement(name, d.text.String()); err != nil {
			return fmt.Errorf("<trkpt> <%s>: %w", name, err)
		}
	case d.track != nil && name == "trk":
		if len(d.track.Points) > 0 {
			d.tracks = append(d.tracks, *d.track)
		}
		d.track = nil
	case d.track != nil && name == "name" && len(d.path) == 3:
		d.track.Name = strings.TrimSpace(d.text.String())
	}
	return nil
}

// measurement takes a child of the open point, at any depth. Dilution (hdop) is no length and so no accuracy.
func (d *gpxDecoder) measurement(name, text string) (err error) {
	p := d.point
	switch name {
	case "time":
		if strings.TrimSpace(text) != "" {
			p.Time, err = timestamp(text)
		}
	case "ele":
		p.AltitudeM, err = optional(text)
	case "speed":
		p.SpeedMPS, err = unsigned(text)
	case "course", "bearing":
		p.HeadingDeg, err = course(text)
	case "accuracy", "accuracy_horizontal":
		p.AccuracyM, err = unsigned(text)
	}
	return err
}

// pauseMark tells the points at latitude 100 and 200 that old OpenTracks versions wrote for "paused" and "resumed".
func pauseMark(el xml.StartElement) bool {
	lat, err := number(attribute(el, "lat"))
	return err == nil && (lat == 100 || lat == 200)
}

func attribute(el xml.StartElement, name string) string {
	for _, a := range el.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// named gives nameless tracks the file's name, numbered when there are several tracks.
func named(tracks []Track, fallback string) []Track {
	for i := range tracks {
		if tracks[i].Name != "" {
			continue
		}
		tracks[i].Name = fallback
		if len(tracks) > 1 {
			tracks[i].Name = fmt.Sprintf("%s %d", fallback, i+1)
		}
	}
	return tracks
}

func skipBOM(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		b.Discard(len(mark))
	}
	return b
}

// charset reads the one other encoding that old recorders write.
func charset(label string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii":
		return r, nil
	case "iso-8859-1", "latin1":
		return &latin1{in: bufio.NewReader(r)}, nil
	}
	return nil, fmt.Errorf("unknown encoding %q: want UTF-8 or ISO-8859-1", label)
}

// latin1 turns ISO-8859-1 into UTF-8: every byte is the code point of the same number.
type latin1 struct {
	in   *bufio.Reader
	rest []byte
}

func (l *latin1) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		c, err := l.in.ReadByte()
		if err != nil {
			return 0, err
		}
		l.rest = []byte(string(rune(c)))
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
