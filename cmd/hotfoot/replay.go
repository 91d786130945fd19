package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"hotfoot/cmd/hotfoot/fleet"
	"hotfoot/cmd/hotfoot/trackfile"
)

// targetFlags say which server to move couriers on.
type targetFlags struct {
	Server string `help:"The server's address." default:"http://127.0.0.1:8080" env:"HOTFOOT_PUBLIC_URL"`
	Key    string `help:"A key of role merchant or ops." required:"" env:"HOTFOOT_KEY"`
}

type replayCmd struct {
	targetFlags
	Files []string `arg:"" help:"GPX files, or CSV files with the columns cab,ts,lat,lon or ts,lat,lon; .gz too." type:"existingfile"`
	Speed float64  `help:"How much faster than recorded; a server believes it when its HOTFOOT_MAX_SPEED_MPS is as many times 70." default:"1"`
}

// Run plays the tracks and says what became of the points.
func (c *replayCmd) Run(ctx context.Context, w *world) error {
	var tracks []trackfile.Track
	for _, file := range c.Files {
		found, err := trackfile.ReadFile(file)
		if err != nil {
			return err
		}
		tracks = append(tracks, found...)
	}
	r, err := fleet.NewReplay(fleet.ReplayConfig{
		BaseURL: c.Server, MerchantKey: c.Key, Tracks: tracks, Speed: c.Speed, Log: w.log,
		OnReady: func(couriers []fleet.CourierRef, deliveries []fleet.DeliveryRef) {
			listReplayed(w.stdout, couriers, deliveries)
		},
	})
	if err != nil {
		return err
	}
	err = r.Run(ctx)
	printReport(w.stdout, r.Report())
	return err
}

func printReport(out io.Writer, r fleet.Report) {
	fmt.Fprintf(out, "%d tracks, %d points: %d live, %d late, %d duplicate; %d in Postgres\n", r.Tracks, r.Points, r.Live, r.Late, r.Duplicate, r.Durable)
	for _, code := range slices.Sorted(maps.Keys(r.Rejected)) {
		fmt.Fprintf(out, "  %d rejected: %s\n", r.Rejected[code], code)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Suspect)) {
		fmt.Fprintf(out, "  %d suspect, kept and not shown: %s\n", r.Suspect[reason], reason)
	}
	if r.Untimed > 0 {
		fmt.Fprintf(out, "  %d without a time, left out\n", r.Untimed)
	}
}

func listReplayed(out io.Writer, couriers []fleet.CourierRef, deliveries []fleet.DeliveryRef) {
	fmt.Fprintf(out, "%d couriers are moving; their customers:\n", len(couriers))
	for i, d := range deliveries {
		fmt.Fprintf(out, "  %-20s %s\n", couriers[i].Name, d.TrackingURL)
	}
}

type simulateCmd struct {
	targetFlags
	Couriers int           `help:"How many couriers." default:"100"`
	Seed     uint64        `help:"The same seed moves the same way; 0 takes one by chance."`
	Interval time.Duration `help:"Between two fixes on the move; 0 follows what the server asks for." default:"0s"`
	Speed    float64       `help:"How much faster than real time." default:"1"`
}

// Run moves couriers until it is interrupted, telling how it goes.
func (c *simulateCmd) Run(ctx context.Context, w *world) error {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	f, err := fleet.New(fleet.Config{
		BaseURL: c.Server, MerchantKey: c.Key, Couriers: c.Couriers, Seed: c.Seed, Speed: c.Speed, Interval: c.Interval, Log: w.log,
	})
	if err != nil {
		return err
	}
	steps := &progress{out: w.stdout}
	done := steps.begin(fmt.Sprintf("Putting %d couriers on the streets of San Francisco (seed %d)", c.Couriers, c.Seed))
	if err := f.Setup(ctx); err != nil {
		return err
	}
	done()
	for _, d := range f.Deliveries()[:min(5, len(f.Deliveries()))] {
		fmt.Fprintln(w.stdout, "  "+d.TrackingURL)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := f.EndShifts(leaving); err != nil {
				w.log.Warn("some couriers are still on duty", "error", err)
			}
			return err
		case <-ticker.C:
			s := f.Stats()
			fmt.Fprintf(w.stdout, "%d positions in %d reports, %d statuses, %d rejected, %d errors, %d late\n", s.Positions, s.Batches, s.Statuses, s.Rejected, s.Errors, s.Late)
		}
	}
}
