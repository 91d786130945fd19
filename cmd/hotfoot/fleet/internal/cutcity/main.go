// Command cutcity makes the data that package fleet embeds from the large public data sets.
//
//	osm/sf-downtown.roads.geojson ──────────────► data/roads.tsv.gz      streets one may drive a scooter on
//	osm/sf-downtown-pickups.csv ────────────────► data/shops.tsv.gz      shops that deliver, with an address
//	osm/sf-downtown-addresses.csv ──────────────► data/doors.tsv.gz      addresses
//	traces/sf-cabs/trips-2008-06-03_05.csv.gz ──► data/trips.tsv         how long real trips took, as quantiles
//
// It reads them below the folder named by HOTFOOT_TESTDATA. The same input gives the same bytes. It is run by go
// generate, alone.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := os.Getenv("HOTFOOT_TESTDATA")
	if len(os.Args) != 2 || root == "" {
		fmt.Fprintln(os.Stderr, "usage: HOTFOOT_TESTDATA=DIR cutcity OUTPUT-DIR")
		os.Exit(2)
	}
	if err := run(root, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cutcity:", err)
		os.Exit(1)
	}
}

// outputs lists the embedded files and what makes them.
var outputs = []struct {
	name string
	cut  func(root string) ([]byte, error)
}{
	{"roads.tsv.gz", cutRoads},
	{"shops.tsv.gz", cutShops},
	{"doors.tsv.gz", cutDoors},
	{"trips.tsv", cutTrips},
}

func run(root, dir string) error {
	for _, out := range outputs {
		content, err := out.cut(root)
		if err != nil {
			return fmt.Errorf("%s: %w", out.name, err)
		}
		if filepath.Ext(out.name) == ".gz" {
			if content, err = zip(content); err != nil {
				return fmt.Errorf("%s: %w", out.name, err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, out.name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func zip(content []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(content); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
