package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The part of the city that the road graph covers: only trips that start and end inside say how one drives there.
const (
	west, south = -122.4204, 37.7695
	east, north = -122.3808, 37.7981
)

// maxGap leaves out trips whose track has a hole: their length is not known.
const maxGap = 90

var percentiles = []int{1, 5, 10, 25, 50, 75, 90, 95, 99}

// bands are the crow-flight distances, in metres, between which durations are told apart. Shorter trips are not used:
// the data set holds none below three minutes, so its short trips are the slow ones.
var bands = []float64{1000, 1500, 2000, 2500}

type trip struct{ crow, duration, length float64 }

// cutTrips writes quantiles: measure, crow-flight distance from and to (0 0: all), number of trips, then p1 ... p99.
func cutTrips(root string) ([]byte, error) {
	trips, err := readTrips(filepath.Join(root, "traces", "sf-cabs", "trips-2008-06-03_05.csv.gz"))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# Aggregated from CRAWDAD epfl/mobility (Piorkowski, Sarafijanovic-Djukic, Grossglauser), CC BY 4.0.\n")
	b.WriteString("# measure, crow_from_m, crow_to_m, trips, p1, p5, p10, p25, p50, p75, p90, p95, p99\n")
	line := func(measure string, from, to float64, of func(trip) float64) {
		var values []float64
		for _, t := range trips {
			if to == 0 || from <= t.crow && t.crow < to {
				values = append(values, of(t))
			}
		}
		slices.Sort(values)
		fmt.Fprintf(&b, "%s\t%.0f\t%.0f\t%d", measure, from, to, len(values))
		for _, p := range percentiles {
			fmt.Fprintf(&b, "\t%.0f", values[len(values)*p/100])
		}
		b.WriteByte('\n')
	}
	line("crow_m", 0, 0, func(t trip) float64 { return t.crow })
	line("duration_s", 0, 0, func(t trip) float64 { return t.duration })
	line("track_m", 0, 0, func(t trip) float64 { return t.length })
	for i := range len(bands) - 1 {
		line("duration_s", bands[i], bands[i+1], func(t trip) float64 { return t.duration })
	}
	return b.Bytes(), nil
}

func readTrips(path string) ([]trip, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	in := csv.NewReader(z)
	head, err := in.Read()
	if err != nil {
		return nil, err
	}
	var trips []trip
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return trips, nil
		}
		if err != nil {
			return nil, err
		}
		v := map[string]float64{}
		for i, name := range head[1:] {
			if v[name], err = strconv.ParseFloat(record[i+1], 64); err != nil {
				return nil, err
			}
		}
		if inside(v["start_lat"], v["start_lon"]) && inside(v["end_lat"], v["end_lon"]) && v["max_gap_s"] <= maxGap {
			trips = append(trips, trip{crowFlight(v), v["duration_s"], v["track_m"]})
		}
	}
}

func inside(lat, lon float64) bool { return south <= lat && lat <= north && west <= lon && lon <= east }

func crowFlight(v map[string]float64) float64 {
	const degree = 111_195 // metres
	dy := (v["end_lat"] - v["start_lat"]) * degree
	dx := (v["end_lon"] - v["start_lon"]) * degree * math.Cos(v["start_lat"]*math.Pi/180)
	return math.Hypot(dx, dy)
}
