package web

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// customerPage is what customer.html shows before any script runs.
type customerPage struct {
	page
	Status, Headline, Late         string
	Details                        []string
	Steps                          []step
	Timeline                       []moment
	Window, Address, Courier, AsOf string
	Merchant                       string
	Refresh                        int
	Snapshot                       json.RawMessage
}

// Readers without scripts see news by reloading; nothing happens any more once the delivery is over.
const (
	refreshSeconds      = 30
	refreshSecondsFinal = 24 * 60 * 60
)

// Customer answers with the delivery's page, filled from the snapshot frame that is also embedded for the script.
func (s *Site) Customer(w http.ResponseWriter, r *http.Request, snapshotJSON []byte) {
	private(w.Header())
	snap, err := parseSnapshot(snapshotJSON)
	if err != nil {
		http.Error(w, "The page could not be shown.", http.StatusInternalServerError)
		return
	}
	p := s.newPage(r)
	n := narrator{catalogue: p.words, snapshot: snap, now: s.now(), location: s.location}
	refresh := refreshSeconds
	if snap.final() {
		refresh = refreshSecondsFinal
	}
	s.render(w, http.StatusOK, "customer.html", customerPage{
		page: p, Status: snap.Status, Headline: n.headline(), Late: n.late(), Details: n.details(), Steps: n.steps(),
		Timeline: n.timeline(), Window: n.window(), Address: cmp.Or(snap.Dropoff.Address, snap.Dropoff.Name),
		Courier: n.courier(), AsOf: n.text("updated.at", "time", n.now.In(n.location).Format("15:04:05 MST")), Merchant: snap.Merchant.Name,
		Refresh: refresh, Snapshot: json.RawMessage(snapshotJSON),
	}, p.Lang)
}
