package tracking

import "fmt"

// Zone is a circle in which customers never see a courier, such as around their home.
type Zone struct{ Lat, Lon, RadiusM float64 }

// What a courier may have of them.
const (
	MaxZones       = 5
	MinZoneRadiusM = 50
	MaxZoneRadiusM = 2000
)

func (z Zone) holds(p *Position) bool { return DistanceM(z.Lat, z.Lon, p.Lat, p.Lon) <= z.RadiusM }

// validZones checks a courier's zones. The error is CodeInvalid and names the field.
func validZones(zones []Zone) error {
	if len(zones) > MaxZones {
		return Invalid("hidden_zones", "must be at most %d", MaxZones)
	}
	for i, z := range zones {
		path := fmt.Sprintf("hidden_zones[%d].", i)
		if err := validLatLon(path, z.Lat, z.Lon); err != nil {
			return err
		}
		if !(z.RadiusM >= MinZoneRadiusM && z.RadiusM <= MaxZoneRadiusM) {
			return Invalid(path+"radius_m", "must be between %d and %d metres", MinZoneRadiusM, MaxZoneRadiusM)
		}
	}
	return nil
}
