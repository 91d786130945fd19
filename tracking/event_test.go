package tracking

import (
	"strings"
	"testing"
	"time"
)

// Two requests that differ in anything that the phone said have different fingerprints; what the server adds does not count.
func TestMove_Fingerprint(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	base := Move{To: Delivered, ClientID: "a", DeviceAt: at, Reason: "r", Proof: Proof{LeftAt: "l", Name: "n"}, Where: &Position{Lat: 1, Lon: 2}}
	seen := map[[32]byte]string{base.Fingerprint(): "base"}
	for name, change := range map[string]func(*Move){
		"To":                        func(m *Move) { m.To = Failed },
		"Reason":                    func(m *Move) { m.Reason = "" },
		"Proof.LeftAt":              func(m *Move) { m.Proof.LeftAt = "" },
		"Proof.Name":                func(m *Move) { m.Proof.Name = "" },
		"texts that moved a letter": func(m *Move) { m.Reason, m.Proof.LeftAt = "rl", "" },
		"texts that changed places": func(m *Move) { m.Proof = Proof{LeftAt: "n", Name: "l"} },
		"DeviceAt":                  func(m *Move) { m.DeviceAt = at.Add(time.Millisecond) },
		"no DeviceAt":               func(m *Move) { m.DeviceAt = time.Time{} },
		"no Where":                  func(m *Move) { m.Where = nil },
		"Where.Lat":                 func(m *Move) { m.Where = &Position{Lat: 1.1, Lon: 2} },
		"Where.Lon":                 func(m *Move) { m.Where = &Position{Lat: 1, Lon: 2.1} },
		"Where.RecordedAt":          func(m *Move) { m.Where = &Position{Lat: 1, Lon: 2, RecordedAt: at} },
		"Where at 0, 0":             func(m *Move) { m.Where = &Position{} },
		"Where turned around":       func(m *Move) { m.Where = &Position{Lat: 2, Lon: 1} },
	} {
		m := base
		change(&m)
		if other, taken := seen[m.Fingerprint()]; taken {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[m.Fingerprint()] = name
	}
	same := base
	same.Actor, same.DeviceAt = Actor{KeyID: NewID()}, at.In(time.FixedZone("", 3600))
	if same.Fingerprint() != base.Fingerprint() {
		t.Error("the same request by another key or in another time zone has another fingerprint")
	}
}

func TestMove_Validate(t *testing.T) {
	t.Parallel()
	good := Move{To: Delivered, ClientID: strings.Repeat("é", 100), Reason: strings.Repeat("é", 500), Proof: Proof{strings.Repeat("é", 200), strings.Repeat("é", 200)}, Where: &Position{}}
	if err := good.Validate(); err != nil {
		t.Errorf("at its limits: %v", err)
	}
	for path, change := range map[string]func(*Move){
		"status":          func(m *Move) { m.To = "flying" },
		"client_event_id": func(m *Move) { m.ClientID += "x" },
		"reason":          func(m *Move) { m.Reason = "a\x00b" },
		"proof.left_at":   func(m *Move) { m.Proof.LeftAt = "\xff" },
		"proof.name":      func(m *Move) { m.Proof.Name += "x" },
		"position.lat":    func(m *Move) { m.Where = &Position{Lat: -90.1} },
		"position.lon":    func(m *Move) { m.Where = &Position{Lon: 180.1} },
	} {
		m := good
		change(&m)
		names(t, m.Validate(), path)
	}
}

// names checks that an error is of one field.
func names(t *testing.T, err error, path string) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || e.Code != CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Path != path {
		t.Errorf("got %v, want %s to be at fault", err, path)
	}
}

func TestDelivery_Apply_hash(t *testing.T) {
	t.Parallel()
	d := Delivery{Status: Assigned}
	m := Move{To: PickedUp, ClientID: "a", Reason: "r"}
	if _, e, _ := d.Apply(m, time.Now()); e.Hash != m.Fingerprint() || e.ClientID != "a" {
		t.Errorf("event %+v", e)
	}
	m.ClientID = ""
	if _, e, _ := d.Apply(m, time.Now()); e.Hash != [32]byte{} {
		t.Error("a move that cannot be repeated has a hash")
	}
}
