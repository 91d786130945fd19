package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/redisstore"
	"hotfoot/store/redisstore/vitals"
)

// said is what one server said of itself.
type said struct {
	info     vitals.Info
	settings map[string]string // nil where it does not tell
}

func hear(ctx context.Context, server *redis.Client) (said, error) {
	text, err := server.Info(ctx).Result()
	if err != nil {
		return said{}, err
	}
	settings, _ := server.ConfigGet(ctx, "*").Result() // whoever forbids it is told of among the settings
	return said{vitals.Decode(text), settings}, nil
}

// number is a field of INFO, and zero when it is not there.
func (s said) number(field string) float64 {
	n, _ := s.info.Number(field)
	return n
}

// configured is how a line is set now and for good.
func configured(line string) string {
	return fmt.Sprintf("redis-cli CONFIG SET %s, and the line %q in redis.conf", line, line)
}

// serverSettings is what keeps a node from starting.
func (c *chart) serverSettings(ctx context.Context, server *redis.Client) {
	const check = "redis settings"
	flaws, err := redisstore.Flaws(ctx, server)
	for _, flaw := range flaws {
		do := flaw.Fix()
		if flaw.Line != "" {
			do = configured(flaw.Line)
		}
		c.bad(check, do, "%s", flaw.Found)
	}
	if err != nil {
		c.warn(check, "see to maxmemory-policy noeviction and appendonly yes yourself, then HOTFOOT_ALLOW_UNSAFE_STORES=true", "%v", err)
	} else if len(flaws) == 0 {
		c.ok(check, "what was accepted stays")
	}
}

// serverFile looks at the append-only file; that there is one is a setting.
func (c *chart) serverFile(s said) {
	const check = "redis file"
	if s.info["aof_enabled"] != "1" {
		return
	}
	switch {
	case s.info["aof_last_write_status"] == "err":
		c.bad(check, "make room on its disk; docs/runbooks/redis-file.md", "the append-only file does not take what is written")
	case s.info["aof_last_bgrewrite_status"] == "err":
		c.warn(check, "docs/runbooks/redis-file.md", "the last rewriting of the append-only file failed, so it grows")
	case s.settings["appendfsync"] == "no":
		c.warn(check, configured("appendfsync everysec"), "appendfsync is no: a power cut loses half a minute of accepted positions")
	default:
		c.ok(check, "the append-only file is written")
	}
}

// serverBuffers looks at what a gateway may fall behind before it is cut off, and at how many connections there may be.
func (c *chart) serverBuffers(s said) {
	if limits := strings.Fields(s.settings["client-output-buffer-limit"]); len(limits) > 0 {
		for i := 0; i+3 < len(limits); i += 4 {
			hard, _ := strconv.ParseFloat(limits[i+1], 64)
			soft, _ := strconv.ParseFloat(limits[i+2], 64)
			if limits[i] != "pubsub" {
				continue
			}
			if hard > 0 && hard < 64*mega || soft > 0 && soft < 32*mega {
				c.warn("redis buffers", `redis-cli CONFIG SET client-output-buffer-limit "pubsub 128mb 32mb 30", and the same in redis.conf`,
					"a gateway is cut off when it is %s behind: a short stall of a busy one comes to that", size(min(positive(hard), positive(soft))))
			} else {
				c.ok("redis buffers", "a gateway may be %s behind", size(min(positive(hard), positive(soft))))
			}
		}
	}
	clients, most := s.number("connected_clients"), s.number("maxclients")
	if most > 0 && clients > 0.8*most {
		c.warn("redis connections", configured(fmt.Sprintf("maxclients %.0f", 2*most)), "%.0f of %.0f are taken", clients, most)
	} else {
		c.ok("redis connections", "%.0f of %.0f are taken", clients, most)
	}
}

// positive is a limit, where 0 means that there is none.
func positive(limit float64) float64 {
	if limit == 0 {
		return 1 << 50
	}
	return limit
}

func (c *chart) serverReplicas(s said) {
	const check = "redis replication"
	if !s.info.Primary() {
		switch {
		case s.info["master_link_status"] != "up":
			c.bad(check, "docs/runbooks/redis-replication.md", "it is a replica that does not hear its primary")
		case !s.info.Clustered():
			c.bad(check, "let REDIS_URL name the primary", "it is a replica, which takes no writes")
		default:
			c.ok(check, "a replica that hears its primary")
		}
		return
	}
	replicas := s.info.Replicas()
	for address, r := range replicas {
		if !r.Online || r.Behind > 16*mega {
			c.warn(check, "docs/runbooks/redis-replication.md", "the replica %s is %s behind, or not there", address, size(r.Behind))
			return
		}
	}
	switch {
	case len(replicas) > 0:
		c.ok(check, "%d replicas keep up", len(replicas))
	case s.info.Clustered():
		c.warn(check, "redis-cli --cluster add-node NEW ANY --cluster-slave",
			"no replica follows it: when it dies, a share of all positions and deliveries is polled from Postgres")
	default:
		c.ok(check, "no replica: while it is away Hotfoot does without it")
	}
}
