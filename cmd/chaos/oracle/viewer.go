package oracle

import (
	"slices"
	"sync"
	"time"
)

// Event is a status change as a frame tells it.
type Event struct {
	Ver    int64
	Status string
}

// Frame is one frame of a customer's socket or stream, or the beginning ("open") or end ("close") of one.
type Frame struct {
	At   time.Time
	Type string // open, snapshot, status, view, position, tick, bye, close
	Node string // of open
	// Stream says of open that it is by server-sent events, and Left of close that the viewer went of their own accord.
	Stream, Left bool

	Epoch  int64 // snapshot, status, view; of open: what it resumes from, 0 for nothing
	Ver    int64 // snapshot, status; of open: what it resumes from
	SV     int64 // view, position, tick: the newest ver as the server knows it
	Status string
	Events []Event // snapshot

	Courier  string // name; snapshot and view
	Position int64  // recorded_at of the marker in Unix ms, 0 for none; snapshot, view, position
	Visible  bool   // snapshot, view
	Live     bool   // snapshot, tick
	ETA      int64  // when the courier is expected, Unix ms, 0 for unknown; snapshot, view, position
	Code     int    // close

	Word       string        // bye: why
	RetryAfter time.Duration // bye
}

// Viewer is somebody who watches one delivery, over all their connections.
type Viewer struct {
	Name     string
	Delivery string
	Drowsy   bool // reads next to nothing now and then
	Restless bool // leaves now and then of their own accord
	Frames   []Frame

	mu sync.Mutex
}

// Saw notes a frame.
func (v *Viewer) Saw(f Frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Frames = append(v.Frames, f)
}

func (v *Viewer) copy() Viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return Viewer{Name: v.Name, Delivery: v.Delivery, Drowsy: v.Drowsy, Restless: v.Restless, Frames: slices.Clone(v.Frames)}
}

// MapPosition is a courier as a frame of the live map shows them.
type MapPosition struct {
	At         time.Time
	Courier    string // id
	RecordedAt int64
}

// MapEvent is a status as a frame of the live map tells it.
type MapEvent struct {
	At       time.Time
	Delivery string
	Event
}

// Map is somebody who watches the live map.
type Map struct {
	Name      string
	Positions []MapPosition
	Events    []MapEvent

	mu sync.Mutex
}

// Saw notes what a frame of the map said.
func (m *Map) Saw(positions []MapPosition, events []MapEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Positions = append(m.Positions, positions...)
	m.Events = append(m.Events, events...)
}

func (m *Map) copy() Map {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Map{Name: m.Name, Positions: slices.Clone(m.Positions), Events: slices.Clone(m.Events)}
}
