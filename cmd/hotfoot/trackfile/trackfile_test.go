package trackfile

import (
	"compress/gzip"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, name string) []Track {
	t.Helper()
	tracks, err := ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return tracks
}

func value(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}

func TestReadFile_GPX(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file, name string
		points     int
		first      string
	}{
		{"gpxv1_0.gpx", "GraphHopper Track", 14, "2015-02-06T07:36:46Z"},
		{"track-with-less-sec-time.gpx", "track-with-less-sec-time", 2, "2015-12-11T14:43:13Z"},
		{"track-with-empty-segment.gpx", "2013-07-06T14:59:00Z", 9, "2013-07-06T17:26:26Z"},
		{"legacy_gpx_pause_resume.gpx", "2021-01-07 22:51", 4, "2021-01-07T21:51:59.179Z"},
		{"track_with_speed.gpx", "track_with_speed", 3, "2009-03-02T14:05:52Z"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			tracks := read(t, tc.file)
			if len(tracks) != 1 {
				t.Fatalf("%d tracks", len(tracks))
			}
			got := tracks[0]
			if got.Name != tc.name || len(got.Points) != tc.points {
				t.Errorf("track %q of %d points, want %q of %d", got.Name, len(got.Points), tc.name, tc.points)
			}
			if first := got.Points[0].Time.Format(time.RFC3339Nano); first != tc.first {
				t.Errorf("starts %s, want %s", first, tc.first)
			}
		})
	}
}

func TestReadFile_GPX_measurements(t *testing.T) {
	t.Parallel()
	t.Run("of GPX 1.0, without a namespace", func(t *testing.T) {
		t.Parallel()
		p := read(t, "track_with_speed.gpx")[0].Points[0]
		if value(p.SpeedMPS) != 1.2 || value(p.AltitudeM) != 48.962041 || p.HeadingDeg != nil || p.AccuracyM != nil {
			t.Errorf("point = %+v", p)
		}
	})
	t.Run("in the extensions of GPX 1.1", func(t *testing.T) {
		t.Parallel()
		p := read(t, "legacy_gpx_trackpointextensions_incorrect.gpx")[0].Points[0]
		if value(p.SpeedMPS) != 15 || value(p.AccuracyM) != 10 {
			t.Errorf("point = %+v", p)
		}
	})
	t.Run("fractions of a second are kept", func(t *testing.T) {
		t.Parallel()
		p := read(t, "track-with-less-sec-time.gpx")[0].Points
		if d := p[1].Time.Sub(p[0].Time); d != 994*time.Millisecond {
			t.Errorf("points are %v apart", d)
		}
	})
}

func TestReadFile_CSV(t *testing.T) {
	t.Parallel()
	t.Run("cabs become a track each, in the order they first appear", func(t *testing.T) {
		t.Parallel()
		tracks := read(t, "cabs.csv")
		if len(tracks) < 2 {
			t.Fatalf("%d tracks", len(tracks))
		}
		got := tracks[0]
		want := time.Unix(1212624001, 0).UTC()
		if got.Name != "umvohug" || !got.Points[0].Time.Equal(want) || got.Points[0].Lat != 37.75043 || got.Points[0].Lon != -122.39223 {
			t.Errorf("first track = %s %+v", got.Name, got.Points[0])
		}
	})
	t.Run("a phone's file is one track with its measurements", func(t *testing.T) {
		t.Parallel()
		tracks := read(t, "phone.csv")
		if len(tracks) != 1 || tracks[0].Name != "phone" {
			t.Fatalf("tracks = %v", tracks)
		}
		p := tracks[0].Points[0]
		if p.Time.UnixMilli() != 1563821693673 || value(p.AccuracyM) != 65 || value(p.AltitudeM) != 35.1 || p.SpeedMPS != nil || p.HeadingDeg != nil {
			t.Errorf("point = %+v at %d", p, p.Time.UnixMilli())
		}
	})
	t.Run("gzipped", func(t *testing.T) {
		t.Parallel()
		plain, err := os.ReadFile(filepath.Join("testdata", "cabs.csv"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "Cabs.CSV.gz")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := gzip.NewWriter(f)
		z.Write(plain)
		if err := errors.Join(z.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
		tracks, err := ReadFile(path)
		if err != nil || len(tracks) != len(read(t, "cabs.csv")) {
			t.Errorf("%d tracks, %v", len(tracks), err)
		}
	})
}

func TestReadFile_without_times(t *testing.T) {
	t.Parallel()
	tracks, err := ReadFile(filepath.Join("testdata", "issue-127.gpx"))
	if !errors.Is(err, ErrNoTimes) || !strings.Contains(err.Error(), "issue-127") {
		t.Errorf("err = %v", err)
	}
	if len(tracks) != 1 || len(tracks[0].Points) != 2 {
		t.Errorf("tracks = %v", tracks)
	}
}

func TestReadFile_errors_name_file_line_and_reason(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, content, want string }{
		{"a.gpx", "<gpx>\n<trk>\n<trkpt lat='91' lon='0'/></trk></gpx>", "a.gpx: line 3: <trkpt> lat: 91 is outside -90..90"},
		{"b.gpx", "<gpx><trk><trkpt lat='1'/></trk></gpx>", "b.gpx: line 1: <trkpt> lon: missing"},
		{"c.gpx", "<gpx><trk>\n<trkpt lat='1' lon='NaN'/></trk></gpx>", `c.gpx: line 2: <trkpt> lon: "NaN" is not a number`},
		{"d.gpx", "<gpx><trk><trkpt lat='1' lon='2'>\n<time>noon</time></trkpt></trk></gpx>", `d.gpx: line 2: <trkpt> <time>: "noon" is not a time`},
		{"e.gpx", "<kml/>", "e.gpx: line 1: <kml>: not a GPX file"},
		{"f.gpx", "", "f.gpx: not a GPX file: no <gpx> element"},
		{"g.gpx", "<gpx><trk>", "g.gpx: line 1: XML syntax error on line 1: unexpected EOF"},
		{"h.gpx", "<gpx><wpt lat='1' lon='2'/><trk><trkseg/></trk></gpx>", "h.gpx: no track points"},
		{"i.gpx", "<?xml version='1.0' encoding='ebcdic'?><gpx/>", `unknown encoding "ebcdic"`},
		{"a.csv", "", "a.csv: empty file: want a header line"},
		{"b.csv", "ts,lat\n1,2\n", `b.csv: line 1: no column lon in the header "ts,lat"`},
		{"c.csv", "ts,lat,lon\n1,2,3\n1,2,181\n", "c.csv: line 3: lon: 181 is outside -180..180"},
		{"d.csv", "ts,lat,lon\n1,2\n", "d.csv: record on line 2: wrong number of fields"},
		{"e.csv", "ts,lat,lon\n1e300,2,3\n", `e.csv: line 2: ts: "1e300" is not a time in Unix seconds`},
		{"f.csv", "ts,lat,lon,accuracy_m\n1,2,3,good\n", `f.csv: line 2: accuracy: "good" is not a number`},
		{"g.csv", "ts,time,lat,lon\n", "g.csv: line 1: two columns for ts"},
		{"h.csv", "ts,lat,lon\n", "h.csv: no track points"},
		{"a.fit", "", `a.fit: unknown kind of file ".fit": want .gpx or .csv, or either with .gz`},
		{"a.gpx.gz", "<gpx/><!-- not zipped -->", "a.gpx.gz: gzip: invalid header"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), tc.file)
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("err = %v\nwant %s", err, tc.want)
			}
		})
	}
	t.Run("a file that is not there", func(t *testing.T) {
		t.Parallel()
		if _, err := ReadFile("nowhere.gpx"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestDecodeGPX_encodings(t *testing.T) {
	t.Parallel()
	const body = "<gpx><trk><name>Caf%s</name><trkpt lat='1' lon='2'/></trk></gpx>"
	for name, text := range map[string]string{
		"byte order mark": "\ufeff<?xml version='1.0' encoding='utf-8'?>" + strings.Replace(body, "%s", "é", 1),
		"ISO-8859-1":      "<?xml version='1.0' encoding='ISO-8859-1'?>" + strings.Replace(body, "%s", "\xe9", 1),
		"CDATA":           strings.Replace(body, "Caf%s", "<![CDATA[Café]]>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tracks, err := decodeGPX(strings.NewReader(text), "file")
			if err != nil || len(tracks) != 1 || tracks[0].Name != "Café" {
				t.Errorf("tracks = %v, %v", tracks, err)
			}
		})
	}
}

func TestDecodeGPX_names_nameless_tracks_after_the_file(t *testing.T) {
	t.Parallel()
	const text = "<gpx><trk><trkpt lat='1' lon='2'/></trk><trk><name> B </name><trkpt lat='1' lon='2'/></trk></gpx>"
	tracks, err := decodeGPX(strings.NewReader(text), "ride")
	if err != nil || tracks[0].Name != "ride 1" || tracks[1].Name != "B" {
		t.Errorf("tracks = %v, %v", tracks, err)
	}
}
