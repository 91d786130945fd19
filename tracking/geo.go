package tracking

import "math"

// earthRadiusM is the mean radius of IUGG, in metres.
const earthRadiusM = 6371008.8

// DistanceM is the great-circle distance in metres between two points in WGS 84 degrees, by the haversine formula
// (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984). On a sphere: within 0.6% of the ellipsoid.
func DistanceM(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	sinLat := math.Sin((lat2 - lat1) * rad / 2)
	sinLon := math.Sin((lon2 - lon1) * rad / 2)
	a := sinLat*sinLat + math.Cos(lat1*rad)*math.Cos(lat2*rad)*sinLon*sinLon
	return 2 * earthRadiusM * math.Asin(math.Sqrt(min(1, a)))
}
