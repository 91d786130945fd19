package tracking

import "math"

// degreeM is a degree of latitude in metres.
const degreeM = earthRadiusM * math.Pi / 180

// coarse answers the middle of a fix's cell in a grid about so many metres wide, and when it was taken, and nothing else of it: a speed or a heading would
// tell where in the cell it goes. The grid is fixed on the earth, so all fixes of a cell are one and the same, however many somebody collects; noise
// could be averaged away.
func coarse(p *Position, widthM float64) Position {
	row := widthM / degreeM
	lat := middle(p.Lat, row, 90)
	// Cells of a row are as wide as it takes at its middle; next to a pole one goes all the way around.
	column := min(360, row/max(1e-9, math.Cos(lat*math.Pi/180)))
	return Position{RecordedAt: p.RecordedAt, Lat: lat, Lon: middle(p.Lon, column, 180), RoundedM: Read(widthM)}
}

// middle is that of the step in which v lies, within the earth.
func middle(v, step, limit float64) float64 {
	return clamp((math.Floor(v/step)+0.5)*step, -limit, limit)
}
