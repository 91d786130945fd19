package vitals

import (
	"math"
	"net"
	"strconv"
	"strings"
)

// Info is what INFO answers: values by the names of their fields. What a server does not say is absent.
type Info map[string]string

// Decode reads the answer to INFO, or to CLUSTER INFO, which has the same form.
func Decode(text string) Info {
	info := Info{}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if found && name != "" && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// Number is a field that holds a number; false where there is none.
func (i Info) Number(field string) (float64, bool) {
	n, err := strconv.ParseFloat(i[field], 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// Primary reports whether the server takes writes and others follow it.
func (i Info) Primary() bool { return i["role"] == "master" }

// Clustered reports whether the server is one of a cluster.
func (i Info) Clustered() bool { return i["cluster_enabled"] == "1" }

// Keys is how many keys a database of the server holds.
func (i Info) Keys(database int) float64 {
	keys, _ := pairs(i["db"+strconv.Itoa(database)]).Number("keys")
	return keys
}

// Replica is one that follows a server, as that server sees it.
type Replica struct {
	Online bool
	Behind float64 // bytes of the replication stream that it has not acknowledged
}

// Replicas are those that follow the server, by their addresses.
func (i Info) Replicas() map[string]Replica {
	offset, _ := i.Number("master_repl_offset")
	replicas := map[string]Replica{}
	for name, value := range i {
		number, is := strings.CutPrefix(name, "slave")
		if _, err := strconv.ParseUint(number, 10, 16); !is || err != nil {
			continue
		}
		said := pairs(value)
		// One that has just come acknowledges nothing yet, which is no lag of all there ever was.
		behind := 0.0
		if acknowledged, ok := said.Number("offset"); ok && said["state"] == "online" {
			behind = max(0, offset-acknowledged)
		}
		address := strings.ToValidUTF8(net.JoinHostPort(said["ip"], said["port"]), "?")
		replicas[address] = Replica{Online: said["state"] == "online", Behind: behind}
	}
	return replicas
}

// pairs reads a value that holds fields of its own, as in "keys=3,expires=1".
func pairs(text string) Info {
	info := Info{}
	for pair := range strings.SplitSeq(text, ",") {
		if name, value, found := strings.Cut(pair, "="); found {
			info[name] = value
		}
	}
	return info
}
