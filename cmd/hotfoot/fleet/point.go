package fleet

import "math"

// Point is a position on Earth, WGS 84 degrees.
type Point struct{ Lat, Lon float64 }

// metresPerDegree is a degree of latitude. Within one city the Earth is flat enough: the error is below 0.1%.
const metresPerDegree = 111_195

// offset returns how far q is to the east and to the north of p, in metres.
func (p Point) offset(q Point) (east, north float64) {
	scale := math.Cos((p.Lat + q.Lat) / 2 * math.Pi / 180)
	return (q.Lon - p.Lon) * metresPerDegree * scale, (q.Lat - p.Lat) * metresPerDegree
}

func (p Point) distance(q Point) float64 {
	east, north := p.offset(q)
	return math.Hypot(east, north)
}

// bearing is the compass direction from p to q in degrees, 0 <= b < 360.
func (p Point) bearing(q Point) float64 {
	east, north := p.offset(q)
	return math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
}

// towards returns the point at fraction f of the way from p to q.
func (p Point) towards(q Point, f float64) Point {
	return Point{p.Lat + (q.Lat-p.Lat)*f, p.Lon + (q.Lon-p.Lon)*f}
}

// moved returns the point so many metres to the east and north of p.
func (p Point) moved(east, north float64) Point {
	return Point{p.Lat + north/metresPerDegree, p.Lon + east/(metresPerDegree*math.Cos(p.Lat*math.Pi/180))}
}

// turn is the angle between two bearings, 0 (straight on) to 180 (back).
func turn(from, to float64) float64 {
	return math.Abs(math.Mod(to-from+540, 360) - 180)
}
