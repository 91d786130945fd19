package tracking

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestDraft_Validate(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	good := Draft{
		ExternalID: long(200), Pickup: Place{}, Dropoff: Place{Lat: -90, Lon: 180, Address: long(500), Name: long(200)},
		Recipient: Recipient{long(200), long(40)}, Note: long(2000), Window: Window{at, at},
	}
	if err := good.Validate(); err != nil {
		t.Errorf("at its limits: %v", err)
	}
	for path, change := range map[string]func(*Draft){
		"pickup.lat":      func(d *Draft) { d.Pickup.Lat = math.NaN() },
		"pickup.lon":      func(d *Draft) { d.Pickup.Lon = math.Inf(1) },
		"pickup.name":     func(d *Draft) { d.Pickup.Name = long(201) },
		"dropoff.lat":     func(d *Draft) { d.Dropoff.Lat = math.Nextafter(90, 91) },
		"dropoff.lon":     func(d *Draft) { d.Dropoff.Lon = math.Nextafter(-180, -181) },
		"dropoff.address": func(d *Draft) { d.Dropoff.Address = long(501) },
		"external_id":     func(d *Draft) { d.ExternalID = "\x00" },
		"recipient.name":  func(d *Draft) { d.Recipient.Name = "\xc3" },
		"recipient.phone": func(d *Draft) { d.Recipient.Phone = long(41) },
		"note":            func(d *Draft) { d.Note = long(2001) },
		"window.to":       func(d *Draft) { d.Window.To = at.Add(-1) },
	} {
		d := good
		change(&d)
		names(t, d.Validate(), path)
	}
	for _, w := range []Window{{From: at}, {To: at}, {}} {
		d := good
		d.Window = w
		if err := d.Validate(); err != nil {
			t.Errorf("window %v: %v", w, err)
		}
	}
}

func TestCourier_Validate(t *testing.T) {
	t.Parallel()
	for _, v := range Vehicles {
		if err := (Courier{Name: "Sam", Vehicle: v}).Validate(); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		if v.Pace() <= 0 {
			t.Errorf("%s does not move", v)
		}
	}
	names(t, Courier{Vehicle: Bike}.Validate(), "name")
	names(t, Courier{Name: strings.Repeat("x", 201), Vehicle: Bike}.Validate(), "name")
	names(t, Courier{Name: "Sam"}.Validate(), "vehicle")
	names(t, Courier{Name: "Sam", Vehicle: "Bike"}.Validate(), "vehicle")
	names(t, Courier{Name: "Sam", Vehicle: Bike, Phone: strings.Repeat("1", 41)}.Validate(), "phone")
}
