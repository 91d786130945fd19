//go:build linux

package bench

import "time"

// Sizes are how large everything is that is measured.
type Sizes struct {
	Fleet int // couriers with a delivery each; no measurement may need more

	WarmUp time.Duration // before anything is counted

	Idle        []int // sockets
	IdleTraffic int   // which of them are measured once more after traffic

	Fan     []Shape
	FanFor  time.Duration
	PostFor time.Duration // positions through the whole path
	PostAt  int           // positions a second

	Ramp     []Shape // PerSecond is where it begins
	RampStep time.Duration
	RampMost int // steps

	Storm         int // sockets
	StormInFlight int // handshakes at a time
	StormQuiet    time.Duration

	SlowFor time.Duration

	IngestFor   time.Duration
	HistoryFor  time.Duration
	Connections int
	Batches     []int // positions in a report

	OpsCouriers, Dispatchers int
	ReportEvery              time.Duration // of a courier
	OpsFor                   time.Duration

	ClusterCouriers, Gateways int
	ClusterFor                time.Duration

	Reads ReadSizes
}

// ReadSizes are the sizes of what is read: a merchant's day.
type ReadSizes struct {
	Couriers   int // each with a delivery that is underway and watched
	Deliveries int // of all
	Positions  int
	Clients    []int
	For        time.Duration // a load
	SummaryFor time.Duration // a load of summaries, which are computed again every few seconds
	Stampede   int           // requests at once
	Hold       time.Duration // how long a fill of the stampede takes at least
}

// Shape is how updates are spread: PerSecond over so many topics, each with so many watchers.
type Shape struct{ Topics, Watchers, PerSecond int }

// Tiny is what a test can wait for. Its figures mean nothing.
func Tiny() Sizes {
	moment := 200 * time.Millisecond
	return Sizes{
		Fleet: 100, WarmUp: 100 * time.Millisecond,
		Idle: []int{20}, IdleTraffic: 20,
		Fan: []Shape{{20, 2, 200}}, FanFor: moment, PostFor: moment, PostAt: 100,
		Ramp: []Shape{{20, 1, 400}}, RampStep: moment, RampMost: 2,
		Storm: 40, StormInFlight: 10, StormQuiet: moment,
		SlowFor:   500 * time.Millisecond,
		IngestFor: moment, HistoryFor: moment, Connections: 4, Batches: []int{2},
		OpsCouriers: 100, Dispatchers: 2, ReportEvery: moment, OpsFor: time.Second,
		ClusterCouriers: 10, Gateways: 2, ClusterFor: moment,
		Reads: ReadSizes{Couriers: 20, Deliveries: 200, Positions: 2000, Clients: []int{4}, For: moment, SummaryFor: moment, Stampede: 30, Hold: moment},
	}
}

// Full is what the documentation's tables are made with.
func Full() Sizes {
	return Sizes{
		Fleet: 20_000, WarmUp: time.Second,
		Idle: []int{1000, 10_000, 19_000}, IdleTraffic: 10_000,
		Fan: []Shape{{5000, 1, 10_000}, {2000, 5, 4000}}, FanFor: 5 * time.Second, PostFor: 5 * time.Second, PostAt: 1000,
		Ramp: []Shape{{5000, 1, 20_000}, {2000, 5, 4000}}, RampStep: 3 * time.Second, RampMost: 20,
		Storm: 10_000, StormInFlight: 2000, StormQuiet: 11 * time.Second,
		SlowFor:   25 * time.Second,
		IngestFor: 5 * time.Second, HistoryFor: time.Minute, Connections: 64, Batches: []int{1, 10},
		OpsCouriers: 20_000, Dispatchers: 50, ReportEvery: 4 * time.Second, OpsFor: 10 * time.Second,
		ClusterCouriers: 1000, Gateways: 4, ClusterFor: 5 * time.Second,
		Reads: ReadSizes{
			Couriers: 5000, Deliveries: 100_000, Positions: 1_000_000, Clients: []int{16, 64}, For: 5 * time.Second,
			SummaryFor: 12 * time.Second, Stampede: 1000, Hold: 200 * time.Millisecond,
		},
	}
}

// Short takes a few minutes, and its figures are rough.
func Short() Sizes {
	return Sizes{
		Fleet: 5000, WarmUp: time.Second,
		Idle: []int{1000, 5000}, IdleTraffic: 5000,
		Fan: []Shape{{2000, 1, 5000}, {500, 5, 1000}}, FanFor: 2 * time.Second, PostFor: 2 * time.Second, PostAt: 500,
		Ramp: []Shape{{2000, 1, 30_000}}, RampStep: time.Second, RampMost: 20,
		Storm: 3000, StormInFlight: 600, StormQuiet: 11 * time.Second,
		SlowFor:   10 * time.Second,
		IngestFor: 2 * time.Second, HistoryFor: 10 * time.Second, Connections: 64, Batches: []int{1, 10},
		OpsCouriers: 5000, Dispatchers: 20, ReportEvery: 4 * time.Second, OpsFor: 3 * time.Second,
		ClusterCouriers: 200, Gateways: 4, ClusterFor: 2 * time.Second,
		Reads: ReadSizes{
			Couriers: 1000, Deliveries: 20_000, Positions: 200_000, Clients: []int{16, 64}, For: 2 * time.Second,
			SummaryFor: 6 * time.Second, Stampede: 1000, Hold: 200 * time.Millisecond,
		},
	}
}
