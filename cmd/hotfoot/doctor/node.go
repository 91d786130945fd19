package doctor

import (
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// socketsOfGateway is what a gateway takes; each is an open file.
const socketsOfGateway = 100_000

// node looks at this machine and at what a node here would be told.
func (c *chart) node(p Patient) {
	switch {
	case p.Config != nil:
		c.bad("configuration", "set it in the environment of every node", "%v", p.Config)
	default:
		c.ok("configuration", "a node would start with it")
	}
	c.secret(p.Secret)
	c.publicURL(p)
	var files syscall.Rlimit // of which Go takes the hard one when it starts, here as in a node
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		c.warn("open files", "", "the limit cannot be read: %v", err)
	} else if p.Gateway && files.Max < socketsOfGateway+1000 {
		c.warn("open files", "LimitNOFILE=131072 in the unit, or ulimit -n 131072", "%d may be open, and a gateway takes %d sockets", files.Max, socketsOfGateway)
	} else {
		c.ok("open files", "%d may be open", files.Max)
	}
}

// secret looks whether the secret is one. That it is there and long enough is a part of the configuration.
func (c *chart) secret(secret string) {
	kinds := map[rune]bool{}
	for _, r := range secret {
		kinds[r] = true
	}
	if len(secret) >= 32 && len(kinds) < 12 {
		c.warn("secret", "before any link is given out: openssl rand -base64 32", "HOTFOOT_SECRET has %d different characters, which is easy to guess", len(kinds))
	} else if len(secret) >= 32 {
		c.ok("secret", "HOTFOOT_SECRET has %d characters", len(secret))
	}
}

func (c *chart) publicURL(p Patient) {
	const set = "HOTFOOT_PUBLIC_URL=https://track.example"
	if p.PublicURL == "" {
		c.warn("public address", set, "HOTFOOT_PUBLIC_URL is not set, so tracking links begin with the address that a node listens on, %s", p.Listen)
		return
	}
	u, err := url.Parse(p.PublicURL)
	if err != nil || u.Host == "" {
		return // the configuration says so
	}
	if u.Scheme != "https" && !local(u.Hostname()) {
		c.warn("public address", set, "%s is not https: whoever is on the way can read tracking links", p.PublicURL)
		return
	}
	c.ok("public address", "%s", p.PublicURL)
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// What Redis itself warns of when it starts. Both can be read only when it runs beside us.
const (
	overcommitFile = "/proc/sys/vm/overcommit_memory"
	hugePagesFile  = "/sys/kernel/mm/transparent_hugepage/enabled"
)

// kernel looks at what the kernel of this machine does to a Redis on it. root is where its files begin.
func (c *chart) kernel(root string) {
	well := true
	if mode, err := os.ReadFile(root + overcommitFile); err == nil && strings.TrimSpace(string(mode)) == "0" {
		well = false
		c.warn("redis kernel", "sysctl vm.overcommit_memory=1, and the same line in /etc/sysctl.conf",
			"vm.overcommit_memory is 0: rewriting the append-only file may fail when memory is short")
	}
	if mode, err := os.ReadFile(root + hugePagesFile); err == nil && strings.Contains(string(mode), "[always]") {
		well = false
		c.warn("redis kernel", "echo madvise > "+hugePagesFile+", at each start of the machine",
			"transparent huge pages are always used: memory and latency rise while the append-only file is rewritten")
	}
	if well {
		c.ok("redis kernel", "nothing that would hurt a Redis beside us")
	}
}
