package tracking

import (
	"math"
	"testing"
)

func TestCourier_Validate_zones(t *testing.T) {
	t.Parallel()
	valid := func(zones ...Zone) error { return Courier{Name: "Sam", Vehicle: Bike, HiddenZones: zones}.Validate() }
	home := Zone{Lat: 37.78, Lon: -122.41, RadiusM: 200}
	for _, zones := range [][]Zone{nil, {home}, {{90, 180, 50}, {-90, -180, 2000}}, {home, home, home, home, home}} {
		if err := valid(zones...); err != nil {
			t.Errorf("%v: %v", zones, err)
		}
	}
	for field, zones := range map[string][]Zone{
		"hidden_zones":             {home, home, home, home, home, home},
		"hidden_zones[0].lat":      {{90.1, 0, 100}},
		"hidden_zones[1].lon":      {home, {0, math.NaN(), 100}},
		"hidden_zones[0].radius_m": {{0, 0, 49}, {0, 0, 2001}},
		"hidden_zones[2].radius_m": {home, home, {0, 0, math.NaN()}},
	} {
		if err := valid(zones...); CodeOf(err) != CodeInvalid || err.(*Error).Fields[0].Path != field {
			t.Errorf("%v: %v, want %s refused", zones, err, field)
		}
	}
}

func TestZone_holds(t *testing.T) {
	t.Parallel()
	z := Zone{Lat: 0, Lon: 179.9995, RadiusM: 100} // 55.6 m from the date line
	for metres, want := range map[float64]bool{0: true, 99: true, 101: false} {
		for _, p := range []Position{{Lat: metres / degreeM, Lon: z.Lon}, {Lat: -metres / degreeM, Lon: z.Lon}, {Lon: z.Lon - metres/degreeM}, {Lon: math.Mod(z.Lon+metres/degreeM+180, 360) - 180}} {
			if z.holds(&p) != want {
				t.Errorf("%v m away, at %v: held %v", metres, p, !want)
			}
		}
	}
}
