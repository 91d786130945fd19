package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// delivers are the kinds of shop that a courier fetches things from.
var delivers = map[string]bool{
	"restaurant": true, "cafe": true, "fast_food": true, "ice_cream": true, "pharmacy": true,
	"shop:bakery": true, "shop:supermarket": true, "shop:convenience": true, "shop:florist": true, "shop:alcohol": true,
	"shop:wine": true, "shop:gift": true, "shop:books": true, "shop:chemist": true, "shop:confectionery": true,
	"shop:chocolate": true, "shop:deli": true, "shop:coffee": true, "shop:tea": true, "shop:pastry": true,
	"shop:greengrocer": true, "shop:butcher": true, "shop:seafood": true, "shop:electronics": true, "shop:toys": true,
	"shop:stationery": true, "shop:hardware": true, "shop:bicycle": true, "shop:pet": true,
}

// cutShops writes name, address, latitude, longitude of each shop that delivers and has an address.
func cutShops(root string) ([]byte, error) {
	return cutTable(filepath.Join(root, "osm", "sf-downtown-pickups.csv"), "name, address, lat, lon", func(row func(string) string) string {
		address := strings.TrimSpace(door(row("housenumber")) + " " + row("street"))
		if !delivers[row("kind")] || row("housenumber") == "" || row("street") == "" {
			return ""
		}
		return row("name") + "\t" + address
	})
}

// cutDoors writes address, latitude, longitude of each door.
func cutDoors(root string) ([]byte, error) {
	seen := map[string]bool{}
	return cutTable(filepath.Join(root, "osm", "sf-downtown-addresses.csv"), "address, lat, lon", func(row func(string) string) string {
		address := door(row("housenumber")) + " " + row("street")
		if row("housenumber") == "" || row("street") == "" || seen[address] {
			return ""
		}
		seen[address] = true
		return address
	})
}

// cutTable writes for each row what label returns, unless that is empty, and the position.
func cutTable(path, columns string, label func(row func(string) string) string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	head, err := in.Read()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# (c) OpenStreetMap contributors, ODbL 1.0. %s\n", columns)
	for {
		record, err := in.Read()
		if err == io.EOF {
			return b.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		row := func(name string) string {
			for i, h := range head {
				if h == name {
					return strings.Join(strings.Fields(record[i]), " ")
				}
			}
			return ""
		}
		text := label(row)
		if text == "" {
			continue
		}
		lat, err := strconv.ParseFloat(row("lat"), 64)
		if err != nil {
			return nil, err
		}
		lon, err := strconv.ParseFloat(row("lon"), 64)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s\t%.6f\t%.6f\n", text, lat, lon)
	}
}

// door is a house number as one writes it on a parcel: of a building with several, the first.
func door(number string) string {
	first, _, _ := strings.Cut(number, ";")
	return strings.TrimSpace(first)
}
