package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"hotfoot/tracking"
)

// storeFlags say where the stores are.
type storeFlags struct {
	DatabaseURL string `help:"Postgres: postgres://user:password@host/database." env:"DATABASE_URL" placeholder:"URL"`
	RedisURL    string `help:"Redis: redis://host:6379/0; several, comma-separated, for a cluster." env:"REDIS_URL" placeholder:"URL"`
}

func (f storeFlags) validateDatabase() error {
	if f.DatabaseURL == "" {
		return errors.New("DATABASE_URL is not set: give it as postgres://user:password@host/database (or try `hotfoot demo`, which needs nothing)")
	}
	return nil
}

func (f storeFlags) validate() error {
	if err := f.validateDatabase(); err != nil {
		return err
	}
	if f.RedisURL == "" {
		return errors.New("REDIS_URL is not set: give it as redis://host:6379/0 (or try `hotfoot demo`, which needs nothing)")
	}
	return nil
}

// The roles of a node.
const (
	roleAPI     = "api"
	roleGateway = "gateway"
	roleWorker  = "worker"
)

// nodeFlags are what a node is told.
type nodeFlags struct {
	storeFlags
	linkFlags
	oidcFlags
	Listen            string   `help:"Address of the HTTP API, the sockets and the pages." default:"127.0.0.1:8080" env:"HOTFOOT_LISTEN"`
	AdminListen       string   `help:"Address of /metrics and /debug/pprof; keep it from the public." default:"127.0.0.1:9464" env:"HOTFOOT_ADMIN_LISTEN"`
	Roles             []string `help:"What this node does: api, gateway, worker." default:"api,gateway,worker" env:"HOTFOOT_ROLES"`
	Secret            string   `help:"At least 32 characters that tracking links are sealed with; the same on every node, and kept: another secret ends all links." env:"HOTFOOT_SECRET"`
	PublicURL         string   `help:"What tracking links begin with, such as https://track.example." env:"HOTFOOT_PUBLIC_URL" placeholder:"URL"`
	Origins           []string `help:"Sites whose pages may open sockets here, beside our own, such as https://shop.example." env:"HOTFOOT_ORIGINS"`
	MapStyleURL       string   `help:"A MapLibre style to use instead of the built-in map of San Francisco." env:"HOTFOOT_MAP_STYLE_URL" placeholder:"URL"`
	BacklogMB         int      `help:"Positions that may wait in Redis for Postgres, in MB; beyond that phones are asked to keep theirs. Keep it well below Redis' maxmemory." default:"1024" env:"HOTFOOT_BACKLOG_MB"`
	Limits            string   `help:"Rate limits beside the default ones, such as writes=token_bucket:50/1s:burst=500:open,reads=off; off for none. See docs/redis/limits.md." env:"HOTFOOT_LIMITS"`
	TrustedProxies    []string `help:"Networks of balancers whose X-Forwarded-For says who the client is, such as 10.0.0.0/8; none by default." env:"HOTFOOT_TRUSTED_PROXIES"`
	SocketsPerAddress int      `help:"Sockets and streams that one client address, or IPv6 network of 64 bits, may have open on this node." default:"20000" env:"HOTFOOT_SOCKETS_PER_ADDRESS"`
	SocketsPerKey     int      `help:"Sockets that one key may have open on this node." default:"1000" env:"HOTFOOT_SOCKETS_PER_KEY"`
	TLSCert           string   `help:"Certificate chain, PEM, to speak TLS with on the public address; read again when it changes." env:"HOTFOOT_TLS_CERT" placeholder:"FILE"`
	TLSKey            string   `help:"Its private key, PEM." env:"HOTFOOT_TLS_KEY" placeholder:"FILE"`
	RoutingURL        string   `help:"A routing server that speaks OSRM's API, such as http://osrm:5000; ways are estimated without one. Change what follows a # in it when its map has changed." env:"HOTFOOT_ROUTING_URL" placeholder:"URL"`
	MaxSpeedMPS       float64  `help:"How fast a courier may be, in metres per second: a position that needs more is kept, marked and not shown. A replay at 10 times the speed needs 700." default:"70" env:"HOTFOOT_MAX_SPEED_MPS"`
	KeepPositions     int      `help:"Days for which positions, and batches of them that could not be stored, are kept; 0 for ever. At least 16." default:"90" env:"HOTFOOT_KEEP_POSITIONS"`
	KeepDeliveries    int      `help:"Days for which people and places stay in deliveries that have ended, and labels on keys that have; 0 for ever. At least 8." default:"180" env:"HOTFOOT_KEEP_DELIVERIES"`
	KeepAudit         int      `help:"Days for which it is kept who changed what; 0 for ever. At least 30." default:"400" env:"HOTFOOT_KEEP_AUDIT"`
	AllowUnsafeStores bool     `help:"Run on stores whose settings can lose what was acknowledged." env:"HOTFOOT_ALLOW_UNSAFE_STORES"`
}

func (f nodeFlags) validate() error {
	if err := f.storeFlags.validate(); err != nil {
		return err
	}
	if len(f.Secret) < 32 {
		return errors.New("HOTFOOT_SECRET must have at least 32 characters: make one with `openssl rand -base64 32` and give every node the same")
	}
	if len(f.Roles) == 0 {
		return errors.New("HOTFOOT_ROLES is empty: give at least one of api, gateway and worker")
	}
	if f.BacklogMB < 1 {
		return errors.New("HOTFOOT_BACKLOG_MB must be at least 1")
	}
	if err := f.linkFlags.validate(); err != nil {
		return err
	}
	if !(f.MaxSpeedMPS > 0) {
		return errors.New("HOTFOOT_MAX_SPEED_MPS must be more than 0")
	}
	if f.SocketsPerAddress < 1 || f.SocketsPerKey < 1 {
		return errors.New("HOTFOOT_SOCKETS_PER_ADDRESS and HOTFOOT_SOCKETS_PER_KEY must be at least 1")
	}
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return errors.New("HOTFOOT_TLS_CERT and HOTFOOT_TLS_KEY go together: give both, or none")
	}
	if f.KeepPositions != 0 && f.KeepPositions < tracking.MinPositionDays {
		return fmt.Errorf("HOTFOOT_KEEP_POSITIONS must be 0, which is for ever, or at least %d days: phones may still send what is younger", tracking.MinPositionDays)
	}
	if f.KeepDeliveries != 0 && f.KeepDeliveries < tracking.MinDeliveryDays {
		return fmt.Errorf("HOTFOOT_KEEP_DELIVERIES must be 0, which is for ever, or at least %d days: links still show what is younger", tracking.MinDeliveryDays)
	}
	if keep := time.Duration(f.KeepDeliveries) * 24 * time.Hour; keep != 0 && keep < f.LinkTTL {
		return errors.New("HOTFOOT_KEEP_DELIVERIES must not be shorter than HOTFOOT_LINK_TTL: links would show deliveries without their places")
	}
	if f.KeepAudit != 0 && f.KeepAudit < tracking.MinAuditDays {
		return fmt.Errorf("HOTFOOT_KEEP_AUDIT must be 0, which is for ever, or at least %d days", tracking.MinAuditDays)
	}
	for _, role := range f.Roles {
		if role != roleAPI && role != roleGateway && role != roleWorker {
			return fmt.Errorf("HOTFOOT_ROLES: unknown role %q; there are api, gateway and worker", role)
		}
	}
	if _, _, err := f.limits(); err != nil {
		return err
	}
	if err := f.oidcFlags.validate(f.PublicURL); err != nil {
		return err
	}
	if f.PublicURL != "" {
		u, err := url.Parse(f.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("HOTFOOT_PUBLIC_URL: %q is not an address such as https://track.example", f.PublicURL)
		}
	}
	return nil
}

func (f nodeFlags) has(role string) bool { return slices.Contains(f.Roles, role) }

// publicURL is what links begin with: as configured, or the address that the node listens on.
func (f nodeFlags) publicURL(listener net.Addr) string {
	if f.PublicURL != "" {
		return strings.TrimSuffix(f.PublicURL, "/")
	}
	scheme := "http://"
	if f.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(listener.String())
	if err != nil {
		return scheme + listener.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, port)
}

// origin is what browsers call the site that a public address belongs to: our own pages may open sockets, also when something in front of us speaks
// TLS and we do not.
func (nodeFlags) origin(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return publicURL
	}
	return u.Scheme + "://" + u.Host
}
