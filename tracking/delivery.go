package tracking

import (
	"time"
	"unicode/utf8"
)

// Place is a point people go to. Lat and Lon are WGS 84 degrees.
type Place struct {
	Lat, Lon float64
	Address  string
	Name     string
}

// Recipient is who the parcel is for. Both fields may be empty.
type Recipient struct{ Name, Phone string }

// Window is when the merchant promised to deliver. Either end may be zero.
type Window struct{ From, To time.Time }

// IsZero reports whether nothing was promised.
func (w Window) IsZero() bool { return w.From.IsZero() && w.To.IsZero() }

// Delivery is one parcel on its way from a pickup to a drop-off.
type Delivery struct {
	ID         ID
	MerchantID ID
	ExternalID string // the merchant's own number; empty when not given
	Status     Status
	Ver        int64 // number of the newest event
	Rev        int64 // raised by every change, status or not
	CourierID  ID    // zero when nobody is assigned
	// RouteOrder is the place in the courier's route, ascending with holes; StopsBefore how many unfinished stops of the courier
	// come first. Both mean something only while Status.OnRoute.
	RouteOrder  int64
	StopsBefore int
	Pickup      Place
	Dropoff     Place
	Recipient   Recipient
	Window      Window
	Note        string
	LinkGen     uint8
	CreatedAt   time.Time
	UpdatedAt   time.Time
	FinishedAt  time.Time // zero until Status.Final
}

// Draft is what a merchant says to create a delivery.
type Draft struct {
	ExternalID string
	Pickup     Place
	Dropoff    Place
	Recipient  Recipient
	Window     Window
	Note       string
	CourierID  ID // assigned at once when not zero
}

// Validate checks the rules that need no store. The error is CodeInvalid and names the field.
func (d Draft) Validate() error {
	if err := d.Pickup.validate("pickup"); err != nil {
		return err
	}
	if err := d.Dropoff.validate("dropoff"); err != nil {
		return err
	}
	for _, f := range []struct {
		path, text string
		max        int
	}{
		{"external_id", d.ExternalID, 200},
		{"recipient.name", d.Recipient.Name, 200},
		{"recipient.phone", d.Recipient.Phone, 40},
		{"note", d.Note, 2000},
	} {
		if err := validText(f.path, f.text, f.max); err != nil {
			return err
		}
	}
	if !d.Window.From.IsZero() && !d.Window.To.IsZero() && d.Window.To.Before(d.Window.From) {
		return Invalid("window.to", "must not be before window.from")
	}
	return nil
}

func (p Place) validate(path string) error {
	if err := validLatLon(path+".", p.Lat, p.Lon); err != nil {
		return err
	}
	if err := validText(path+".address", p.Address, 500); err != nil {
		return err
	}
	return validText(path+".name", p.Name, 200)
}

// validLatLon refuses what is not a place on earth. The comparisons are written so that NaN fails them.
func validLatLon(prefix string, lat, lon float64) error {
	if !(lat >= -90 && lat <= 90) {
		return Invalid(prefix+"lat", "must be between -90 and 90 degrees")
	}
	if !(lon >= -180 && lon <= 180) {
		return Invalid(prefix+"lon", "must be between -180 and 180 degrees")
	}
	return nil
}

// validText bounds a text in characters and refuses NUL and broken UTF-8, which Postgres cannot store.
func validText(path, s string, maxChars int) error {
	if !utf8.ValidString(s) {
		return Invalid(path, "must be valid UTF-8")
	}
	n := 0
	for _, r := range s {
		if r == 0 {
			return Invalid(path, "must not contain a NUL character")
		}
		n++
	}
	if n > maxChars {
		return Invalid(path, "must be at most %d characters", maxChars)
	}
	return nil
}
