package tracking

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var dusk = time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)

// seen is a fix so many seconds after dusk, so many kilometres north of the shop.
func seen(seconds, km float64) *Position {
	return &Position{RecordedAt: dusk.Add(time.Duration(seconds * float64(time.Second))), Lat: 37.78 + km/111.195, Lon: -122.41}
}

func TestPlausibility_Alone(t *testing.T) {
	t.Parallel()
	with := func(change func(*Position)) *Position {
		p := seen(0, 0)
		change(p)
		return p
	}
	for name, c := range map[string]struct {
		p    *Position
		mock bool
		want Suspicion
	}{
		"a plain fix":                           {seen(0, 0), false, Believed},
		"one that an app made up":               {seen(0, 0), true, SuspectMock},
		"a motorway":                            {with(func(p *Position) { p.SpeedMPS = Read(MaxSpeedMPS) }), false, Believed},
		"an aeroplane":                          {with(func(p *Position) { p.SpeedMPS = Read(MaxSpeedMPS + 0.1) }), false, SuspectSpeed},
		"a cell tower":                          {with(func(p *Position) { p.AccuracyM = Read(MaxAccuracyM) }), false, Believed},
		"a county":                              {with(func(p *Position) { p.AccuracyM = Read(MaxAccuracyM + 1) }), false, SuspectAccuracy},
		"nothing known at 0, 0":                 {&Position{}, false, SuspectNullIsland},
		"a ship in the Gulf of Guinea":          {&Position{AccuracyM: Read(5)}, false, Believed},
		"on the equator":                        {&Position{Lon: 1}, false, Believed},
		"on the meridian of Greenwich":          {&Position{Lat: 1}, false, Believed},
		"the phone's own word before all else":  {&Position{SpeedMPS: Read(100)}, true, SuspectMock},
		"a speed that is not known says nought": {with(func(p *Position) { p.SpeedMPS.Value = 100 }), false, Believed},
	} {
		if got := (Plausibility{}).Alone(c.p, c.mock); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := (Plausibility{MaxSpeedMPS: 700}).Alone(with(func(p *Position) { p.SpeedMPS = Read(200) }), false); got != Believed {
		t.Errorf("with a limit of its own: %q", got)
	}
}

// Each fix is judged by those before it: what is believed is written '+', what is not '-'.
func TestPlausibility_Judge(t *testing.T) {
	t.Parallel()
	accurate := func(p *Position, metres float64) *Position {
		p.AccuracyM = Read(metres)
		return p
	}
	for name, c := range map[string]struct {
		fixes []*Position
		want  string
	}{
		"the first is believed": {[]*Position{seen(0, 900)}, "+"},
		"a ride":                {[]*Position{seen(0, 0), seen(10, 0.1), seen(20, 0.2), seen(30, 0.3)}, "++++"},
		"a jump and back":       {[]*Position{seen(0, 0), seen(10, 50), seen(20, 0.1), seen(30, 0.2)}, "+-++"},
		"a jump that stays is believed the third time":       {[]*Position{seen(0, 0), seen(10, 50), seen(20, 50.1), seen(30, 50.2), seen(40, 50.3)}, "+--++"},
		"the first one was wrong":                            {[]*Position{seen(0, 50), seen(10, 0), seen(20, 0.1), seen(30, 0.2)}, "+--+"},
		"jumps that do not agree are never believed":         {[]*Position{seen(0, 0), seen(10, 50), seen(20, -50), seen(30, 100), seen(40, -100)}, "+----"},
		"a jump, back, and the same again begins anew":       {[]*Position{seen(0, 0), seen(10, 50), seen(20, 50), seen(30, 0), seen(40, 50), seen(50, 50), seen(60, 50)}, "+--+--+"},
		"a burst is one":                                     {[]*Position{seen(0, 0), seen(10, 50), seen(10.2, 50), seen(10.9, 50), seen(11, 50), seen(12, 50)}, "+----+"},
		"the same fix again is none":                         {[]*Position{seen(0, 0), seen(10, 50), seen(10, 50), seen(10, 50), seen(10, 50)}, "+----"},
		"what agrees after more than two minutes is another": {[]*Position{seen(0, 0), seen(10, 500), seen(131, 500), seen(252, 500), seen(373, 500)}, "+----"},
		"after a long time one may be far away":              {[]*Position{seen(0, 0), seen(3600, 200)}, "++"},
		"as far as 70 m/s and what is not known of accuracy": {[]*Position{seen(0, 0), seen(10, 0.999)}, "++"},
		"and no farther":                                     {[]*Position{seen(0, 0), seen(10, 1.001)}, "+-"},
		"as far as the accuracies explain":                   {[]*Position{accurate(seen(0, 0), 100), accurate(seen(10, 1.890), 297)}, "++"},
		"and not beyond them":                                {[]*Position{accurate(seen(0, 0), 100), accurate(seen(10, 1.892), 297)}, "+-"},
		"two who are certain":                                {[]*Position{accurate(seen(0, 0), 0), accurate(seen(1, 0.071), 0)}, "+-"},
		"over the date line":                                 {[]*Position{{RecordedAt: dusk, Lat: -17, Lon: 179.9999}, {RecordedAt: dusk.Add(time.Second), Lat: -17, Lon: -179.9999}}, "++"},
		"and back":                                           {[]*Position{{RecordedAt: dusk, Lat: -17, Lon: -179.9999}, {RecordedAt: dusk.Add(time.Second), Lat: -17, Lon: 179.9999}}, "++"},
	} {
		var s Whereabouts
		var got []byte
		for _, p := range c.fixes {
			var believed bool
			if s, believed = (Plausibility{}).Judge(s, p); believed {
				got = append(got, '+')
			} else {
				got = append(got, '-')
			}
		}
		if string(got) != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Whatever was reported before, whoever goes on at one place is believed there soon: nobody is locked out for ever.
func TestPlausibility_Judge_locks_nobody_out(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s Whereabouts
		clock := 0.0
		for range rapid.IntRange(0, 20).Draw(t, "before") {
			clock += rapid.Float64Range(0, 200).Draw(t, "later")
			s, _ = Plausibility{}.Judge(s, seen(clock, rapid.Float64Range(-5000, 5000).Draw(t, "km")))
		}
		here := rapid.Float64Range(-5000, 5000).Draw(t, "here")
		for range enoughAgree {
			clock += rapid.Float64Range(1.001, 119).Draw(t, "next")
			s, _ = Plausibility{}.Judge(s, seen(clock, here))
		}
		if _, believed := (Plausibility{}).Judge(s, seen(clock+2, here)); !believed {
			t.Fatalf("after %d fixes at one place: %+v", enoughAgree, s)
		}
	})
}

func TestPlausibility_JudgeAll(t *testing.T) {
	t.Parallel()
	marks := func(fixes []Fix) (marks []Suspicion) {
		for i := range fixes {
			marks = append(marks, fixes[i].Position.Suspect)
		}
		return marks
	}
	batch := func(positions ...*Position) (fixes []Fix) {
		for _, p := range positions {
			fixes = append(fixes, Fix{Position: *p})
		}
		return fixes
	}
	mock := seen(15, 90)
	mock.Suspect = SuspectMock
	t.Run("marks what is too far, and what says so of itself stays out of it", func(t *testing.T) {
		t.Parallel()
		fixes := batch(seen(0, 0), seen(10, 90), mock, seen(20, 90), seen(30, 0.1))
		s := Plausibility{}.JudgeAll(Whereabouts{}, fixes)
		if want := []Suspicion{0, SuspectTeleport, SuspectMock, SuspectTeleport, 0}; !slices.Equal(marks(fixes), want) {
			t.Errorf("%v, want %v", marks(fixes), want)
		}
		if s.Believed != &fixes[4].Position || s.Agree != 0 {
			t.Errorf("then stands %+v", s)
		}
	})
	t.Run("thinks again of what was judged without knowing where the courier was", func(t *testing.T) {
		t.Parallel()
		fixes := batch(seen(10, 90), seen(20, 0.1), seen(30, 0.2))
		Plausibility{}.JudgeAll(Whereabouts{}, fixes)
		if want := []Suspicion{0, SuspectTeleport, SuspectTeleport}; !slices.Equal(marks(fixes), want) {
			t.Errorf("alone: %v, want %v", marks(fixes), want)
		}
		Plausibility{}.JudgeAll(Whereabouts{Believed: seen(0, 0)}, fixes)
		if want := []Suspicion{SuspectTeleport, 0, 0}; !slices.Equal(marks(fixes), want) {
			t.Errorf("from where the courier was: %v, want %v", marks(fixes), want)
		}
	})
	t.Run("leaves what is older than what is believed as it was", func(t *testing.T) {
		t.Parallel()
		old := seen(-10, 90)
		old.Suspect = SuspectTeleport
		fixes := batch(seen(-20, 90), old, seen(0, 90), seen(10, 0.1))
		Plausibility{}.JudgeAll(Whereabouts{Believed: seen(0, 0)}, fixes)
		if want := []Suspicion{0, SuspectTeleport, 0, 0}; !slices.Equal(marks(fixes), want) {
			t.Errorf("%v, want %v", marks(fixes), want)
		}
	})
}

func TestSuspicion(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for i, s := range Suspicions {
		if int(s) != i+1 || !s.Known() || s.String() == "" || names[s.String()] {
			t.Errorf("suspicion %d is %d, %q", i, s, s)
		}
		names[s.String()] = true
	}
	if next := Suspicion(len(Suspicions) + 1); next.Known() || next.String() != "unknown" || Believed.String() != "" {
		t.Errorf("one that nobody knows is %q", next)
	}
}
