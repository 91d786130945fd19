package trackfile

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hotfoot/tracking"
)

// What the judgement may get wrong on recorded tracks, and how much of what is invented it must find.
const (
	mostFalse   = 0.001
	leastFound  = 0.99
	shortestM   = 10_000 // of what is invented: a cab reports once a minute, in which anybody may go 4.2 km
	farthestM   = 1_000_000
	inventedOne = 50 // in so many fixes
)

// sharedNames are two cabs each under one name: what is suspected of them is two places at once, and rightly.
var sharedNames = map[string]bool{"upthin": true, "udwadla": true}

// tally counts what became of fixes.
type tally struct {
	fixes, mistakes  int // mistakes are suspects although the record goes from the fix before and to the next at a possible speed
	jumps, own       int // suspects where the record jumps, and those that say of themselves that they are no place
	invented, found  int
	afterwards       int // true fixes under suspicion beside an invented one
	withInvented     int
	teleportsOfNames int
}

func TestPlausibility_recorded(t *testing.T) {
	t.Parallel()
	root := os.Getenv("HOTFOOT_TESTDATA")
	if root == "" {
		t.Skip("HOTFOOT_TESTDATA is not set: the folder with the recorded tracks")
	}
	traces := filepath.Join(root, "traces")
	files := map[string][]string{"cabs, a fix a minute": {filepath.Join(traces, "sf-cabs", "points-2008-06-03_05.csv.gz")}}
	walk(t, filepath.Join(traces, "messy", "mobilitynet"), "raw.csv", func(path string) {
		files["phones, a fix a second"] = append(files["phones, a fix a second"], path)
	})
	for name, paths := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n tally
			for _, path := range paths {
				tracks, err := ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for i, track := range tracks {
					n.judge(track)
					n.invent(track, rand.New(rand.NewPCG(7, uint64(i))))
				}
			}
			wrong, found := float64(n.mistakes)/float64(n.fixes), float64(n.found)/float64(n.invented)
			t.Logf("%d fixes: %d (%.4f%%) suspected without cause, %d where the record jumps, %d where one name is two cabs, %d by their own word",
				n.fixes, n.mistakes, 100*wrong, n.jumps, n.teleportsOfNames, n.own)
			t.Logf("%d teleports of %d to %d km: %.2f%% found; beside them %d of %d true fixes (%.4f%%) suspected",
				n.invented, shortestM/1000, farthestM/1000, 100*found, n.afterwards, n.withInvented, 100*float64(n.afterwards)/float64(n.withInvented))
			if n.fixes < 50_000 || n.invented < 500 {
				t.Errorf("%d fixes and %d teleports are too few to say", n.fixes, n.invented)
			}
			if wrong > mostFalse {
				t.Errorf("%.4f%% are suspected without cause, want at most %.4f%%", 100*wrong, 100*mostFalse)
			}
			if found < leastFound {
				t.Errorf("%.2f%% of the teleports are found, want %.2f%%", 100*found, 100*leastFound)
			}
		})
	}
}

// judge goes through a track as its phone reported it.
func (n *tally) judge(track Track) {
	var rule tracking.Plausibility
	var s tracking.Whereabouts
	for i, p := range track.Points {
		fix := positionOf(p)
		n.fixes++
		if rule.Alone(fix, false) != tracking.Believed {
			n.own++
			continue
		}
		if s.Believed != nil && !fix.RecordedAt.After(s.Believed.RecordedAt) {
			continue // late: stored, not judged by what is newer
		}
		var believed bool
		if s, believed = rule.Judge(s, fix); believed {
			continue
		}
		switch {
		case sharedNames[track.Name]:
			n.teleportsOfNames++
		case i > 0 && leaps(track.Points[i-1], p) || i+1 < len(track.Points) && leaps(p, track.Points[i+1]):
			n.jumps++
		default:
			n.mistakes++
		}
	}
}

// leaps reports whether nobody goes from one fix to the next in the time between, by the plainest reckoning: as the crow flies, at 70 m/s, and 300 m for what
// two fixes may be off.
func leaps(a, b Point) bool {
	return tracking.DistanceM(a.Lat, a.Lon, b.Lat, b.Lon) > 70*math.Abs(b.Time.Sub(a.Time).Seconds())+300
}

// invent goes through a track again and puts one fix in fifty somewhere else.
func (n *tally) invent(track Track, random *rand.Rand) {
	if sharedNames[track.Name] {
		return
	}
	var rule tracking.Plausibility
	var s tracking.Whereabouts
	for i, p := range track.Points {
		fix := positionOf(p)
		invented := i > 0 && random.IntN(inventedOne) == 0
		if invented {
			elsewhere(fix, random)
		}
		if rule.Alone(fix, false) != tracking.Believed || s.Believed != nil && !fix.RecordedAt.After(s.Believed.RecordedAt) {
			continue
		}
		var believed bool
		s, believed = rule.Judge(s, fix)
		if !invented {
			if n.withInvented++; !believed {
				n.afterwards++
			}
			continue
		}
		if n.invented++; !believed {
			n.found++
		}
	}
}

// elsewhere moves a fix in any direction, each order of magnitude of distance being as likely as the other.
func elsewhere(p *tracking.Position, random *rand.Rand) {
	far := shortestM * math.Pow(farthestM/shortestM, random.Float64()) / 111_195
	north, east := math.Sincos(2 * math.Pi * random.Float64())
	p.Lat += far * north
	p.Lon = math.Remainder(p.Lon+far*east/math.Cos(p.Lat*math.Pi/180), 360)
}

func positionOf(p Point) *tracking.Position {
	fix := &tracking.Position{RecordedAt: p.Time.Truncate(time.Millisecond), Lat: p.Lat, Lon: p.Lon}
	if p.AccuracyM != nil {
		fix.AccuracyM = tracking.Read(*p.AccuracyM)
	}
	if p.SpeedMPS != nil {
		fix.SpeedMPS = tracking.Read(*p.SpeedMPS)
	}
	return fix
}
