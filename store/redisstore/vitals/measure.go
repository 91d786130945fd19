package vitals

import "github.com/prometheus/client_golang/prometheus"

// measure is a metric that is one field of INFO or of CLUSTER INFO.
type measure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	field string
	// good is set for a field that holds a word: the metric is 1 when it is this one and 0 for any other.
	good string
}

func gauge(name, field, help string) measure {
	return measure{desc: describe(name, help), kind: prometheus.GaugeValue, field: field}
}

func counter(name, field, help string) measure {
	return measure{desc: describe(name, help), kind: prometheus.CounterValue, field: field}
}

func flag(name, field, good, help string) measure {
	return measure{desc: describe(name, help), kind: prometheus.GaugeValue, field: field, good: good}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hotfoot_redis_"+name, help, append([]string{"server"}, labels...), nil)
}

// of is the measure of an answer; false where the server does not say it.
func (m measure) of(info Info) (float64, bool) {
	if m.good == "" {
		return info.Number(m.field)
	}
	switch word, said := info[m.field]; {
	case !said:
		return 0, false
	case word == m.good:
		return 1, true
	}
	return 0, true
}

var ofInfo = []measure{
	gauge("memory_used_bytes", "used_memory", "Memory that the server has allocated."),
	gauge("memory_max_bytes", "maxmemory", "Memory that the server may allocate; 0 for as much as there is."),
	gauge("memory_resident_bytes", "used_memory_rss", "Memory that the server takes of its machine."),
	gauge("memory_fragmentation_ratio", "mem_fragmentation_ratio",
		"Resident memory for each byte allocated. Large on a server that holds little; below 1 a part of it is swapped out."),
	counter("evicted_keys_total", "evicted_keys", "Keys that were thrown away to make room."),
	counter("expired_keys_total", "expired_keys", "Keys whose time was over."),
	counter("keyspace_hits_total", "keyspace_hits", "Keys that were asked for and there."),
	counter("keyspace_misses_total", "keyspace_misses", "Keys that were asked for and not there."),
	counter("commands_total", "total_commands_processed", "Commands that were run."),
	gauge("clients", "connected_clients", "Connections of clients."),
	gauge("clients_max", "maxclients", "Connections that there may be."),
	gauge("clients_blocked", "blocked_clients", "Connections that wait for something, as workers do for positions."),
	counter("clients_refused_total", "rejected_connections", "Connections that were refused since there were too many."),
	gauge("channels", "pubsub_channels", "Channels that somebody listens to."),
	gauge("shard_channels", "pubsubshard_channels", "Channels of a cluster that somebody listens to."),
	flag("aof_enabled", "aof_enabled", "1", "1 while an append-only file is kept."),
	flag("aof_write_ok", "aof_last_write_status", "ok", "1 while the append-only file takes what is written."),
	flag("aof_rewrite_ok", "aof_last_bgrewrite_status", "ok", "1 while its last rewriting succeeded."),
	gauge("aof_size_bytes", "aof_current_size", "Size of the append-only file."),
	gauge("aof_pending_fsyncs", "aof_pending_bio_fsync", "Calls of fsync that wait for the disk."),
	counter("aof_delayed_fsyncs_total", "aof_delayed_fsync", "Times when a write had to wait for the disk."),
	flag("primary", "role", "master", "1 for a server that takes writes, 0 for a replica."),
	gauge("replicas", "connected_slaves", "Replicas that follow the server."),
	flag("replica_link_up", "master_link_status", "up", "Of a replica: 1 while it hears its primary."),
	gauge("uptime_seconds", "uptime_in_seconds", "How long the server has run."),
}

var ofCluster = []measure{
	flag("cluster_ok", "cluster_state", "ok", "1 while the cluster, as this server sees it, serves."),
	gauge("cluster_slots_served", "cluster_slots_ok", "Slots, of 16384, that a server which answers has."),
}
