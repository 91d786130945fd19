//go:build linux

package bench

import (
	"context"
	"encoding/json"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/firstversion"
	"hotfoot/cmd/hotfoot/bench/post"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/socket"
	"hotfoot/cmd/hotfoot/client"
)

// entry is where a system takes reports.
type entry struct {
	address string
	rig     *rig.Rig
	system  rig.System
	prefer  string // what requests wait for, "" for nothing
	parts   func() []rig.Part
}

// entryOf finds or starts what takes reports, for a server that has the sockets. The caller must call stop.
func entryOf(ctx context.Context, r *rig.Rig, server *rig.Server, roles string) (*entry, func(), error) {
	e := &entry{rig: r, system: server.System, address: server.Address}
	e.parts = func() []rig.Part { return append(server.Parts(), r.Postgres()) }
	if server.System == rig.FirstVersion {
		return e, func() {}, nil
	}
	api, err := r.Serve(ctx, roles)
	if err != nil {
		return nil, nil, err
	}
	e.address = api.Address
	e.parts = func() []rig.Part { return append(server.Parts(), api.Part("api"), r.Postgres()) }
	return e, api.Stop, nil
}

// report writes the request that reports one position, that of a group, of a courier of the fleet.
func (e *entry) report(b []byte, courier, group int, now time.Time) []byte {
	return e.reports(b, courier, group, 1, now)
}

// reports writes the request that reports so many positions, of this group and those that follow.
func (e *entry) reports(b []byte, courier, group, count int, now time.Time) []byte {
	c := e.rig.Fleet[courier]
	if e.system == rig.FirstVersion {
		body := struct {
			Positions []firstversion.Position `json:"positions"`
		}{make([]firstversion.Position, count)}
		for i := range body.Positions {
			body.Positions[i] = feed.ToFirst(feed.Position(group+i, now.Add(time.Duration(i-count+1)*time.Millisecond)))
			body.Positions[i].CourierID = c.ID.String()
		}
		return post.AppendRequest(b, "/positions", "", "", encoded(body))
	}
	return post.AppendRequest(b, "/v1/courier/positions", c.Key, e.prefer, reportOf(group, count, now))
}

// handshake opens a courier's socket.
func (e *entry) handshake(courier int) []byte {
	return socket.Handshake(e.address, "/v1/courier/live", e.rig.Fleet[courier].Key)
}

// reportOf is the body of a report. The last position is recorded now, those before it a millisecond apart. One alone goes as phones send it: without a list around
// it.
func reportOf(group, count int, now time.Time) []byte {
	positions := make([]client.Position, count)
	for i := range positions {
		p := feed.Position(group+i, now.Add(time.Duration(i-count+1)*time.Millisecond))
		reading := func(v float32) *float64 { f := float64(v); return &f }
		positions[i] = client.Position{
			RecordedAt: p.RecordedAt.UTC(), Lat: p.Lat, Lon: p.Lon, AccuracyM: reading(p.AccuracyM.Value), SpeedMPS: reading(p.SpeedMPS.Value),
			HeadingDeg: reading(p.HeadingDeg.Value), Battery: reading(p.Battery.Value),
		}
	}
	if count == 1 {
		return encoded(positions[0])
	}
	return encoded(struct {
		Positions []client.Position `json:"positions"`
	}{positions})
}

// encoded is what cannot fail to encode: there are texts, times and finite numbers in it.
func encoded(body any) []byte {
	b, _ := json.Marshal(body)
	return b
}
