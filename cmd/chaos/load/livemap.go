package load

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"hotfoot/cmd/chaos/oracle"
)

// mapViewer is a dispatcher who looks at the live map.
type mapViewer struct {
	key    string
	call   *caller
	log    *oracle.Map
	random *rand.Rand
}

func (m *mapViewer) run(ctx context.Context, _ <-chan struct{}) {
	for ctx.Err() == nil {
		m.connect(ctx)
		if !sleep(ctx, jitter(m.random, soonestReturn, latestReturn)) {
			return
		}
	}
}

func (m *mapViewer) connect(ctx context.Context) {
	for _, node := range m.call.balancer.order() {
		noted := oracle.Answer{Kind: oracle.Opening, Who: m.log.Name, Node: node.Name, At: time.Now(), Code: 101}
		connection, err := dialSocket(ctx, dialer, node.URL()+"/v1/ops/live", http.Header{"Authorization": {"Bearer " + m.key}})
		if ctx.Err() != nil {
			if connection != nil {
				connection.close()
			}
			return
		}
		if err != nil {
			noted.Code, noted.Err, noted.Refused = refusal(err)
			m.call.balancer.avoid(node)
		}
		noted.Took, noted.Excused = time.Since(noted.At), node.Troubled(noted.At)
		m.call.log.Answered(noted)
		if err == nil {
			m.watch(ctx, connection.(*socket))
		}
		if !noted.Refused {
			return
		}
	}
}

// watch reads frames of a map of the whole town until the connection ends.
func (m *mapViewer) watch(ctx context.Context, s *socket) {
	defer s.close()
	defer context.AfterFunc(ctx, s.close)()
	view := map[string]any{"type": "view", "bbox": []float64{-123, 37, -122, 38}, "zoom": 13}
	if s.conn.WriteJSON(view) != nil {
		return
	}
	for {
		text, err := s.next(Silence)
		if err != nil {
			return
		}
		var f struct {
			Type     string
			Couriers []struct {
				ID         string
				RecordedAt time.Time `json:"recorded_at"`
			}
			Events []struct {
				DeliveryID string `json:"delivery_id"`
				oracle.Event
			}
		}
		if json.Unmarshal(text, &f) != nil || f.Type != "frame" {
			continue
		}
		now := time.Now()
		var positions []oracle.MapPosition
		for _, c := range f.Couriers {
			positions = append(positions, oracle.MapPosition{At: now, Courier: c.ID, RecordedAt: c.RecordedAt.UnixMilli()})
		}
		var events []oracle.MapEvent
		for _, e := range f.Events {
			events = append(events, oracle.MapEvent{At: now, Delivery: e.DeliveryID, Event: e.Event})
		}
		m.log.Saw(positions, events)
	}
}
