package fleet

import "math/rand/v2"

// vehicle is how something moves on the road. The rest of the city (lights, turns) is the same for all.
type vehicle struct {
	name       string
	topSpeed   float64 // metres a second
	accelerate float64 // metres a second squared
	brake      float64
	share      float64 // of the fleet
}

var vehicles = []vehicle{
	{name: "scooter", topSpeed: 13, accelerate: 1.9, brake: 2.4, share: 0.40},
	{name: "bike", topSpeed: 6.5, accelerate: 0.9, brake: 1.8, share: 0.30},
	{name: "car", topSpeed: 16, accelerate: 1.7, brake: 2.2, share: 0.20},
	{name: "van", topSpeed: 14, accelerate: 1.3, brake: 1.9, share: 0.10},
}

func randomVehicle(rng *rand.Rand) vehicle {
	draw := rng.Float64()
	for _, v := range vehicles {
		if draw < v.share {
			return v
		}
		draw -= v.share
	}
	return vehicles[0]
}
