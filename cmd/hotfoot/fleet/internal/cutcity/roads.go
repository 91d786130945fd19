package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// drivable are the road classes kept. Motorways are left out: half the fleet rides bikes and scooters.
var drivable = map[string]bool{
	"trunk": true, "trunk_link": true, "primary": true, "primary_link": true, "secondary": true, "secondary_link": true,
	"tertiary": true, "tertiary_link": true, "unclassified": true, "residential": true, "living_street": true, "service": true,
}

// noThrough are kinds of service road that lead nowhere a delivery goes.
var noThrough = map[string]bool{"parking_aisle": true, "driveway": true, "drive-through": true, "emergency_access": true}

type feature struct {
	Properties struct {
		Highway, Name, Oneway, Service, Access, Junction string
		Way                                              int64
	}
	Geometry struct {
		Coordinates [][2]float64
	}
}

// cutRoads writes one road a line: class, oneway (1 or 0), name, way, then longitudes and latitudes in millionths of a
// degree. Equal coordinates are the same junction.
func cutRoads(root string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(root, "osm", "sf-downtown.roads.geojson"))
	if err != nil {
		return nil, err
	}
	var collection struct{ Features []feature }
	if err := json.Unmarshal(raw, &collection); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# (c) OpenStreetMap contributors, ODbL 1.0. class, oneway, name, way, then lon,lat ... in 1e-6 degrees\n")
	for _, f := range collection.Features {
		p := f.Properties
		if !drivable[p.Highway] || noThrough[p.Service] || p.Access == "private" || p.Access == "no" {
			continue
		}
		line := f.Geometry.Coordinates
		oneway := 0
		switch {
		case p.Oneway == "-1":
			oneway = 1
			for i, j := 0, len(line)-1; i < j; i, j = i+1, j-1 {
				line[i], line[j] = line[j], line[i]
			}
		case p.Oneway == "yes" || p.Junction == "roundabout":
			oneway = 1
		}
		fmt.Fprintf(&b, "%s\t%d\t%s\t%d\t", p.Highway, oneway, p.Name, p.Way)
		for i, c := range line {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%d,%d", millionths(c[0]), millionths(c[1]))
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

func millionths(degrees float64) int64 { return int64(math.Round(degrees * 1e6)) }
