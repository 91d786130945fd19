// Package key names everything that Hotfoot keeps in Redis: keys and channels, in this one file.
//
//	{p17}:delivery:<id>      hash     a delivery's record, hot           also the channel on which it is announced
//	{p17}:fill:<id>          string   which process reads that record from Postgres just now
//	{p17}:told:<id>          string   that a change was announced a moment ago: who began to read Postgres before may have missed it
//	{p17}:courier:<id>       hash     duty and newest position           also the channel of the courier's positions
//	{p17}:session:<id>:<s>   hash     what is known of a phone's seqs
//	{p17}:positions          stream   batches waiting for Postgres
//	{p17}:positions:bytes    counter  how many bytes of them
//	{p17}:geo:<merchant>     geo set  newest positions, for "near"
//	{p17}:fleet:<merchant>   channel  every position and record of a merchant in this partition, for live maps
//	{p17}:jobs:<courier>     channel  "your route has changed"
//	{p17}:key:<hash>         string   who holds an API key, for when Postgres cannot be asked
//	{p17}:limit:<digest>     string   what a subject has taken of a rate limit
//	{p17}:segment:<id>       channel  something of a merchant or courier has changed
//	{p17}:segment:<id>:version    counter  raised with it, so that what was computed before is stale
//	{p17}:computed:<id>:<name>:<hash>  hash  what was computed of a merchant or courier, by the hash of what was asked
//	{p17}:lock:<id>:<work>   string   who is at a piece of work
//	{p17}:fence:<id>:<work>  counter  the number of the newest lease on it
//	{p17}:board:<id>:<day>   sorted   a merchant's couriers by what they delivered on a day
//	{p17}:scores:<id>:<day>  hash     what each has delivered
//	{p17}:counted:<id>:<day> set      the deliveries that are counted
//	{p17}:result:<kind>:<h>  string   what was worked out from an input with this SHA-256
//	{p0}:control             channel  what every node must hear: revoked keys
//	{p17}:canary:<word>      channel  a node's own, by which it knows that it hears what is published in this partition
//
// Every delivery and courier belongs to one of a fixed number of partitions, and the partition is the hash tag of all its keys. So one
// script may touch a courier's hash, stream and channel, on one server and on Redis Cluster alike. Names are built from ids in their
// canonical form only, so no input can forge a tag or reach another's key.
package key

import (
	"encoding/hex"
	"strconv"
	"strings"

	"hotfoot/tracking"
)

// Partitions is how many partitions there are. Changing it moves every key: hot data is rebuilt, but streams must be drained first.
const Partitions = 64

// Control is the channel of things that every node must hear. Every channel belongs to a partition, and this one to the first.
const Control = "{p0}:control"

// Partition is the partition of a delivery's or courier's id: its 32-bit FNV-1a hash, written out since it stands in every name.
func Partition(id tracking.ID) int {
	hash := uint32(2166136261)
	for _, b := range id {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return int(hash % Partitions)
}

// Of each partition: the tag, the stream and its counter.
var tags, streams, counters [Partitions]string

func init() {
	for p := range tags {
		tags[p] = "{p" + strconv.Itoa(p) + "}"
		streams[p] = tags[p] + ":positions"
		counters[p] = streams[p] + ":bytes"
	}
}

// name puts a name together in one allocation.
func name(partition int, kind string, id tracking.ID, rest ...string) string {
	var room [160]byte
	b := append(room[:0], tags[partition]...)
	b = append(b, kind...)
	b = id.Append(b)
	for _, part := range rest {
		b = append(b, part...)
	}
	return string(b)
}

// Tag is what decides on a cluster where a name is kept: what stands in its first braces, if anything does, or else all of it.
func Tag(name string) string {
	if _, rest, ok := strings.Cut(name, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			return tag
		}
	}
	return name
}

// Kind is what stands after a name's partition, as in "delivery"; "" for a name that is not one of ours.
func Kind(name string) string {
	tagged, ours := strings.CutPrefix(name, "{p")
	partition, rest, _ := strings.Cut(tagged, "}:")
	if n, err := strconv.ParseUint(partition, 10, 16); !ours || err != nil || n >= Partitions {
		return ""
	}
	kind, _, _ := strings.Cut(rest, ":")
	if len(kind) > 24 || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return kind
}

// Canary names a channel on which a node hears itself, beside the channels with a tag. word tells it from all others.
func Canary(tag, word string) string { return "{" + tag + "}:canary:" + word }

// Delivery names a delivery's hash and channel.
func Delivery(id tracking.ID) string { return name(Partition(id), ":delivery:", id) }

// Fill names the placeholder of whoever fills a delivery's hash.
func Fill(id tracking.ID) string { return name(Partition(id), ":fill:", id) }

// Told names the mark that a change of a delivery was announced.
func Told(id tracking.ID) string { return name(Partition(id), ":told:", id) }

// Courier names a courier's hash and the channel of their positions.
func Courier(id tracking.ID) string { return name(Partition(id), ":courier:", id) }

// Session names the hash of a phone's session. session must have passed the domain's validation.
func Session(courier tracking.ID, session string) string {
	return name(Partition(courier), ":session:", courier, ":", session)
}

// Positions names a partition's stream.
func Positions(partition int) string { return streams[partition] }

// BacklogBytes names the counter of what a partition's stream holds.
func BacklogBytes(partition int) string { return counters[partition] }

// Geo names a partition's geo set of a merchant's couriers.
func Geo(partition int, merchant tracking.ID) string { return name(partition, ":geo:", merchant) }

// Fleet names a partition's channel of everything a merchant's live map shows.
func Fleet(partition int, merchant tracking.ID) string { return name(partition, ":fleet:", merchant) }

// Jobs names the channel on which a courier hears of their route.
func Jobs(courier tracking.ID) string { return name(Partition(courier), ":jobs:", courier) }

// Segment names the channel on which it is told that something of a merchant or courier has changed.
func Segment(id tracking.ID) string { return name(Partition(id), ":segment:", id) }

// SegmentVersion names the number that is raised with it.
func SegmentVersion(id tracking.ID) string { return name(Partition(id), ":segment:", id, ":version") }

// Computed names an answer to a question about a merchant or courier. What was asked stands in it as a hash, so that no input forms a name.
func Computed(segment tracking.ID, computation string, arguments [32]byte) string {
	return name(Partition(segment), ":computed:", segment, ":", computation, ":", hex.EncodeToString(arguments[:]))
}

// Actor names what is kept of the holder of an API key, by the key's hash. Hashes are spread already.
func Actor(hash [32]byte) string {
	return tags[int(hash[0])%Partitions] + ":key:" + hex.EncodeToString(hash[:])
}

// Limit names what is kept of a subject under a rate limit. Subjects are digests, spread already.
func Limit(subject tracking.LimitSubject) string {
	return tags[int(subject[0])%Partitions] + ":limit:" + hex.EncodeToString(subject[:])
}

// Lock names who is at a piece of work. Its kind is a word of the program.
func Lock(r tracking.Resource) string { return name(Partition(r.Of), ":lock:", r.Of, ":", r.Work) }

// Fence names the number of the newest lease on a piece of work.
func Fence(r tracking.Resource) string { return name(Partition(r.Of), ":fence:", r.Of, ":", r.Work) }

// Board names the three parts of a merchant's leaderboard of a day: the order of its couriers, what each has, and what is counted.
func Board(merchant tracking.ID, day tracking.Day) (order, scores, counted string) {
	p, text := Partition(merchant), day.String()
	return name(p, ":board:", merchant, ":", text), name(p, ":scores:", merchant, ":", text), name(p, ":counted:", merchant, ":", text)
}

// Result names what was worked out from an input, by its hash; kind is a word of the program. Hashes are spread already.
func Result(kind string, input [32]byte) string {
	return tags[int(input[0])%Partitions] + ":result:" + kind + ":" + hex.EncodeToString(input[:])
}
