package private

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cluster is a Redis Cluster of masters that share the slots evenly. Its nodes listen on loopback ports too, since a cluster's nodes tell
// clients each other's addresses, and a socket is none.
type Cluster struct {
	Masters  []*Server
	replicas []*Server
	cfg      Config
	ports    []int
}

// StartCluster starts a cluster in the folder, and makes one with this many masters when there is none. It returns when all slots are
// served. ctx bounds the start alone.
func StartCluster(ctx context.Context, cfg Config, masters int) (_ *Cluster, err error) {
	c := &Cluster{cfg: cfg, Masters: make([]*Server, masters)}
	defer func() {
		if err != nil {
			c.Kill()
		}
	}()
	if c.ports, err = clusterPorts(cfg.Dir, masters); err != nil {
		return nil, fmt.Errorf("redis cluster: %w", err)
	}
	for i := range masters {
		if c.Masters[i], err = c.StartMaster(ctx, i); err != nil {
			return nil, err
		}
	}
	if err := c.form(ctx); err != nil {
		return nil, fmt.Errorf("forming a redis cluster: %w", err)
	}
	return c, nil
}

// StartMaster starts one master again that was stopped or killed, at its old address and with its data.
func (c *Cluster) StartMaster(ctx context.Context, i int) (*Server, error) {
	s, err := c.startNode(ctx, "master"+strconv.Itoa(i), c.ports[2*i], c.ports[2*i+1])
	if err == nil {
		c.Masters[i] = s
	}
	return s, err
}

// startNode starts a server that clients reach at one port and other nodes at another.
func (c *Cluster) startNode(ctx context.Context, folder string, port, busPort int) (*Server, error) {
	cfg := c.cfg
	cfg.Dir = filepath.Join(c.cfg.Dir, folder)
	cfg.Arguments = append([]string{
		// Otherwise its command line names the port and not the folder, by which a later start finds it; see kin.
		"--set-proc-title", "no",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(busPort), "--cluster-node-timeout", "2000",
	}, c.cfg.Arguments...)
	return StartRedis(ctx, cfg)
}

// Addr is where a master listens, host:port.
func (c *Cluster) Addr(i int) string { return "127.0.0.1:" + strconv.Itoa(c.ports[2*i]) }

// URL is what REDIS_URL would say.
func (c *Cluster) URL() string {
	urls := make([]string, len(c.Masters))
	for i := range urls {
		urls[i] = "redis://" + c.Addr(i)
	}
	return strings.Join(urls, ",")
}

// Kill ends all masters and replicas.
func (c *Cluster) Kill() {
	for _, s := range slices.Concat(c.Masters, c.replicas) {
		if s != nil {
			s.Kill()
		}
	}
}

const slots = 16384

// form gives each master its share of the slots and has them meet, unless they know each other from an earlier start.
func (c *Cluster) form(ctx context.Context) error {
	clients := make([]*redis.Client, len(c.Masters))
	for i := range clients {
		clients[i] = redis.NewClient(&redis.Options{Addr: c.Addr(i)})
		defer clients[i].Close()
	}
	info, err := clients[0].ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if strings.Contains(info, "cluster_slots_assigned:0") {
		for i, client := range clients {
			first, last := i*slots/len(clients), (i+1)*slots/len(clients)-1
			err := errors.Join(client.ClusterAddSlotsRange(ctx, first, last).Err(),
				client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", c.ports[0], c.ports[1]).Err())
			if err != nil {
				return err
			}
		}
	}
	for _, client := range clients {
		if err := c.awaitWhole(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

// awaitWhole waits until a node knows of all masters and slots.
func (c *Cluster) awaitWhole(ctx context.Context, client *redis.Client) error {
	known := "cluster_known_nodes:" + strconv.Itoa(len(c.Masters)) + "\r"
	for {
		info, err := client.ClusterInfo(ctx).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last heard: %q, %w)", context.Cause(ctx), info, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// clusterPorts answers the cluster's ports, two a master: those it had before, or free ones.
func clusterPorts(dir string, masters int) ([]int, error) {
	path := filepath.Join(dir, "ports")
	if text, err := os.ReadFile(path); err == nil {
		var ports []int
		for field := range strings.FieldsSeq(string(text)) {
			port, err := strconv.Atoi(field)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			ports = append(ports, port)
		}
		if len(ports) == 2*masters {
			return ports, nil
		}
		return nil, fmt.Errorf("%s is of another number of masters: choose another folder", path)
	}
	ports, err := freePorts(2 * masters)
	if err != nil {
		return nil, err
	}
	text := ""
	for _, port := range ports {
		text += strconv.Itoa(port) + "\n"
	}
	if _, err := makeDir(dir); err != nil {
		return nil, err
	}
	return ports, os.WriteFile(path, []byte(text), 0o600)
}

// Ports from firstPort on, so many, are below those that systems give to whoever connects without naming one: between choosing a port and listening on it
// nobody's connection takes it.
const (
	firstPort  = 15_000
	portsThere = 15_000
)

func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for tries := 0; len(ports) < n; tries++ {
		port := firstPort + rand.IntN(portsThere)
		// All are held until all are chosen, so that none is chosen twice.
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			if tries > 100*n {
				return nil, err
			}
			continue
		}
		defer listener.Close()
		ports = append(ports, port)
	}
	return ports, nil
}
