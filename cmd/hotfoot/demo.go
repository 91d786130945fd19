package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"hotfoot/cmd/hotfoot/fleet"
	"hotfoot/store/postgres"
	"hotfoot/store/private"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
)

type demoCmd struct {
	Listen      string `help:"Address to serve on." default:"127.0.0.1:8080" env:"HOTFOOT_LISTEN"`
	DataDir     string `help:"Folder for the demo's own Postgres and Redis, and for demo.json." default:".hotfoot" type:"path"`
	Couriers    int    `help:"How many couriers move." default:"25"`
	DatabaseURL string `help:"Use this Postgres instead of a private one." env:"DATABASE_URL" placeholder:"URL"`
	RedisURL    string `help:"Use this Redis instead of a private one." env:"REDIS_URL" placeholder:"URL"`
	PublicURL   string `help:"What links begin with, if not the address." env:"HOTFOOT_PUBLIC_URL" placeholder:"URL"`
	MapStyleURL string `help:"A MapLibre style to use instead of the built-in map of San Francisco." env:"HOTFOOT_MAP_STYLE_URL" placeholder:"URL"`
}

// Help is shown below the flags' summary.
func (demoCmd) Help() string {
	return "Nothing else is needed: it starts its own Postgres and Redis on unix sockets in the data folder, works offline, touches no server that " +
		"already runs, and leaves nothing running behind. Links are printed, and written to demo.json in the data folder."
}

// demoFile is demo.json.
type demoFile struct {
	BaseURL     string         `json:"base_url"`
	OpsURL      string         `json:"ops_url"`
	AdminURL    string         `json:"admin_url"` // of /metrics
	OpsKey      string         `json:"ops_key"`
	MerchantKey string         `json:"merchant_key"`
	Couriers    []demoCourier  `json:"couriers"`
	Deliveries  []demoDelivery `json:"deliveries"`
}

type demoCourier struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Token string `json:"token"`
}

type demoDelivery struct {
	ID            string `json:"id"`
	TrackingToken string `json:"tracking_token"`
	TrackingURL   string `json:"tracking_url"`
}

// Run shows the product until it is interrupted.
func (c *demoCmd) Run(ctx context.Context, w *world) (err error) {
	steps := &progress{out: w.stdout}
	// What a person sees is the progress; the log says only what is wrong.
	log := slog.New(leveled{w.log.Handler(), slog.LevelWarn})
	flags := nodeFlags{
		storeFlags: storeFlags{DatabaseURL: c.DatabaseURL, RedisURL: c.RedisURL}, Listen: c.Listen, AdminListen: "127.0.0.1:0",
		Roles: []string{roleAPI, roleGateway, roleWorker}, Secret: rand.Text() + rand.Text(), PublicURL: c.PublicURL, MapStyleURL: c.MapStyleURL,
		BacklogMB: 1024, MaxSpeedMPS: tracking.MaxSpeedMPS, linkFlags: linkFlags{LinkTTL: tracking.LinkLife},
		SocketsPerAddress: 20_000, SocketsPerKey: 1000,
	}
	demoPath := filepath.Join(c.DataDir, "demo.json")
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return err
	}
	// An old file must not be taken for this run's.
	if err := os.Remove(demoPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	stop, err := c.startStores(ctx, &flags, steps, log)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	keys, err := c.prepare(ctx, flags.storeFlags, steps)
	if err != nil {
		return err
	}
	n, err := newNode(ctx, flags, log)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	group, running := errgroup.WithContext(running)
	group.Go(func() error { return n.run(running) })
	group.Go(func() error {
		defer cancel()
		return c.show(running, n, keys, demoPath, steps, log)
	})
	err = group.Wait()
	_ = os.Remove(demoPath)
	if ctx.Err() != nil {
		fmt.Fprintln(w.stdout, "\nStopped; nothing is left running.")
		return nil
	}
	return err
}

// startStores starts whichever store was not given, and answers how to stop it again; that is never nil.
func (c *demoCmd) startStores(ctx context.Context, flags *nodeFlags, steps *progress, log *slog.Logger) (stop func() error, err error) {
	var servers []*private.Server
	stop = func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		for _, s := range servers {
			err = errors.Join(err, s.Stop(ctx))
		}
		return err
	}
	start := func(name string, url *string, start func(context.Context, private.Config) (*private.Server, error)) error {
		if *url != "" {
			steps.note("Using the given " + name)
			return nil
		}
		done := steps.begin("Starting a private " + name)
		s, err := start(ctx, private.Config{Dir: c.DataDir, Log: log})
		if err != nil {
			return err
		}
		servers = append(servers, s)
		*url = s.URL()
		done()
		return nil
	}
	if err := start("Postgres", &flags.DatabaseURL, private.StartPostgres); err != nil {
		return stop, err
	}
	return stop, start("Redis", &flags.RedisURL, private.StartRedis)
}

type demoKeys struct{ merchant, ops string }

// prepare brings the schema up to date and makes a merchant. Private stores start the demo from nothing, so that an earlier one's couriers do
// not stand around; given ones are only added to.
func (c *demoCmd) prepare(ctx context.Context, stores storeFlags, steps *progress) (demoKeys, error) {
	done := steps.begin("Preparing the database")
	pool, err := connectChecked(ctx, stores.DatabaseURL, 4)
	if err != nil {
		return demoKeys{}, err
	}
	defer pool.Close()
	provider, err := newMigrations(pool)
	if err != nil {
		return demoKeys{}, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return demoKeys{}, err
	}
	store := postgres.New(pool, nil)
	merchant := "Golden Gate Deliveries"
	if c.DatabaseURL == "" {
		if err := store.Clear(ctx); err != nil {
			return demoKeys{}, err
		}
	} else {
		merchant += time.Now().UTC().Format(" 2006-01-02 15:04:05")
	}
	if c.RedisURL == "" {
		client, err := redisstore.Connect(stores.RedisURL)
		if err != nil {
			return demoKeys{}, err
		}
		defer client.Close()
		if err := client.FlushDB(ctx).Err(); err != nil {
			return demoKeys{}, err
		}
	}
	var keys demoKeys
	if keys.merchant, err = createKey(ctx, store, merchant, tracking.RoleMerchant, "demo", 0); err != nil {
		return demoKeys{}, err
	}
	if keys.ops, err = createKey(ctx, store, merchant, tracking.RoleOps, "demo", 0); err != nil {
		return demoKeys{}, err
	}
	done()
	return keys, nil
}

// show moves couriers and prints where to look.
func (c *demoCmd) show(ctx context.Context, n *node, keys demoKeys, demoPath string, steps *progress, log *slog.Logger) error {
	base := n.flags.publicURL(n.listener.Addr())
	done := steps.begin(fmt.Sprintf("Putting %d couriers on the streets of San Francisco", c.Couriers))
	f, err := fleet.New(fleet.Config{
		// The couriers' own way in, whatever the links are told to begin with.
		BaseURL: nodeFlags{}.publicURL(n.listener.Addr()), MerchantKey: keys.merchant, Couriers: c.Couriers, Seed: uint64(time.Now().UnixNano()),
		Speed: 1, Interval: 2 * time.Second, Log: log,
	})
	if err != nil {
		return err
	}
	if err := f.Setup(ctx); err != nil {
		return err
	}
	done()
	file := demoFile{BaseURL: base, OpsURL: base + "/ops#key=" + keys.ops, AdminURL: "http://" + n.admin.Addr().String(), OpsKey: keys.ops, MerchantKey: keys.merchant}
	for _, courier := range f.Couriers() {
		file.Couriers = append(file.Couriers, demoCourier{ID: courier.ID, Name: courier.Name, Token: courier.Token})
	}
	for _, d := range f.Deliveries() {
		file.Deliveries = append(file.Deliveries, demoDelivery{ID: d.ID, TrackingToken: d.TrackingToken, TrackingURL: d.TrackingURL})
	}
	if err := writeFile(demoPath, file); err != nil {
		return err
	}
	steps.links(file, demoPath)
	return f.Run(ctx)
}

// writeFile writes whole or not at all, since others wait for it to appear. It holds keys, so only its owner may read it.
func writeFile(path string, file demoFile) error {
	b, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// progress tells a person what is happening and how long it took.
type progress struct{ out io.Writer }

func (p *progress) note(text string) { fmt.Fprintf(p.out, "%s\n", text) }

func (p *progress) begin(text string) (done func()) {
	began := time.Now()
	fmt.Fprintf(p.out, "%s … ", text)
	return func() { fmt.Fprintf(p.out, "%.1f s\n", time.Since(began).Seconds()) }
}

func (p *progress) links(f demoFile, path string) {
	fmt.Fprintf(p.out, `
  Live map      %s
  A customer    %s
  API           %s/docs

Keys, couriers' tokens and more customers are in %s. For example, as courier %s:

  curl -X POST %s/v1/courier/positions -H 'Content-Type: application/json' \
    -H 'Authorization: Bearer %s' \
    -d '{"lat":37.7793,"lon":-122.4139,"recorded_at":"'$(date -u +%%FT%%TZ)'"}'

Ctrl-C stops everything.
`, f.OpsURL, f.Deliveries[0].TrackingURL, f.BaseURL, path, f.Couriers[0].Name, f.BaseURL, f.Couriers[0].Token)
}

// leveled raises a handler's level.
type leveled struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= l.level && l.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs), l.level}
}

// WithGroup implements slog.Handler.
func (l leveled) WithGroup(name string) slog.Handler {
	return leveled{l.Handler.WithGroup(name), l.level}
}
