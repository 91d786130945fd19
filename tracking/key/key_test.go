package key_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// all is every name that belongs to an id.
func all(id tracking.ID) map[string]string {
	p := key.Partition(id)
	work := tracking.Resource{Work: "work", Of: id}
	order, scores, counted := key.Board(id, 20_000)
	return map[string]string{
		"lock": key.Lock(work), "fence": key.Fence(work), "board": order, "scores": scores, "counted": counted,
		"fill": key.Fill(id), "told": key.Told(id), "delivery": key.Delivery(id), "courier": key.Courier(id), "session": key.Session(id, ""), "session s": key.Session(id, "s"), "jobs": key.Jobs(id),
		"geo": key.Geo(p, id), "fleet": key.Fleet(p, id), "segment": key.Segment(id), "version": key.SegmentVersion(id),
		"answer": key.Computed(id, "stats", [32]byte{}), "answer to another question": key.Computed(id, "stats", [32]byte{1}), "another answer": key.Computed(id, "route", [32]byte{}),
	}
}

var ids = rapid.Custom(func(t *rapid.T) tracking.ID { return tracking.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")) })

var shape = regexp.MustCompile(`^\{p([0-9]|[1-5][0-9]|6[0-3])\}:[a-z]+:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(:[A-Za-z0-9._-]*){0,2}$`)

var holder = regexp.MustCompile(`^\{p([0-9]|[1-5][0-9]|6[0-3])\}:(key|result:road):[0-9a-f]{64}$`)

var subject = regexp.MustCompile(`^\{p([0-9]|[1-5][0-9]|6[0-3])\}:limit:[0-9a-f]{32}$`)

func TestKeys(t *testing.T) {
	t.Parallel()
	t.Run("two things never share a name", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			a, b := ids.Draw(t, "a"), ids.Draw(t, "b")
			seen := map[string]string{}
			for i, id := range []tracking.ID{a, b} {
				if i == 1 && a == b {
					break
				}
				for kind, name := range all(id) {
					if other, taken := seen[name]; taken {
						t.Fatalf("%s of %s and %s are both %s", kind, id, other, name)
					}
					seen[name] = kind + " of " + id.String()
				}
			}
		})
	})
	t.Run("a name is a partition, a kind and an id, whatever the id's bytes", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			id := ids.Draw(t, "id")
			for kind, name := range all(id) {
				if !shape.MatchString(name) || strings.Count(name, "{") != 1 {
					t.Fatalf("%s: %q", kind, name)
				}
			}
		})
	})
	t.Run("what one script touches is in one slot", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			courier, merchant := ids.Draw(t, "courier"), ids.Draw(t, "merchant")
			p := key.Partition(courier)
			tag := fmt.Sprintf("{p%d}:", p)
			for _, name := range []string{key.Courier(courier), key.Positions(p), key.BacklogBytes(p), key.Geo(p, merchant), key.Session(courier, "s"), key.Fleet(p, merchant), key.Jobs(courier)} {
				if !strings.HasPrefix(name, tag) {
					t.Fatalf("%s is not in %s", name, tag)
				}
			}
			order, scores, counted := key.Board(merchant, tracking.Day(rapid.IntRange(0, 40_000).Draw(t, "day")))
			if key.Tag(order) != key.Tag(scores) || key.Tag(order) != key.Tag(counted) {
				t.Fatalf("the parts of a board are in %s, %s and %s", order, scores, counted)
			}
			work := tracking.Resource{Work: "work", Of: courier}
			if key.Tag(key.Lock(work)) != key.Tag(key.Fence(work)) {
				t.Fatalf("a lock and its fence are in %s and %s", key.Lock(work), key.Fence(work))
			}
		})
	})
	t.Run("so is what is computed of a merchant or courier", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			id := ids.Draw(t, "id")
			for _, name := range []string{key.SegmentVersion(id), key.Computed(id, "stats", [32]byte{}), key.Jobs(id)} {
				if key.Tag(name) != key.Tag(key.Segment(id)) {
					t.Fatalf("%s is not where %s is", name, key.Segment(id))
				}
			}
		})
	})
	t.Run("holders of keys are spread over all partitions, and each hash is its own", func(t *testing.T) {
		t.Parallel()
		tags, names := map[string]bool{}, map[string]bool{}
		const n = 64 * 50
		for i := range n {
			name := key.Actor(tracking.HashSecret(fmt.Sprint(i)))
			if result := key.Result("road", tracking.HashSecret(fmt.Sprint(i))); !holder.MatchString(name) || !holder.MatchString(result) {
				t.Fatalf("%q, %q", name, result)
			}
			names[name] = true
			tags[name[:strings.Index(name, ":")]] = true
		}
		if len(tags) != key.Partitions || len(names) != n {
			t.Errorf("%d names in %d partitions, want %d in %d", len(names), len(tags), n, key.Partitions)
		}
	})
	t.Run("subjects of rate limits are spread over all partitions, and each is its own, whatever text they are made of", func(t *testing.T) {
		t.Parallel()
		tags, names := map[string]bool{}, map[string]bool{}
		const n = 64 * 50
		for i := range n {
			name := key.Limit(tracking.NewLimitSubject(tracking.LimitPolicy{}, fmt.Sprint("{p1}:\x00*", i)))
			if !subject.MatchString(name) {
				t.Fatalf("%q", name)
			}
			names[name] = true
			tags[key.Tag(name)] = true
		}
		if len(tags) != key.Partitions || len(names) != n {
			t.Errorf("%d names in %d partitions, want %d in %d", len(names), len(tags), n, key.Partitions)
		}
	})
	t.Run("a tag is found where Redis finds it", func(t *testing.T) {
		t.Parallel()
		for name, want := range map[string]string{
			key.Control: "p0", key.Fleet(63, tracking.NewID()): "p63", key.Canary("p17", "word"): "p17",
			"news": "news", "": "", "{}news": "{}news", "a{b}c{d}": "b", "{a": "{a", "a}b": "a}b", "{{a}}": "{a", "x{}{a}": "x{}{a}",
		} {
			if got := key.Tag(name); got != want {
				t.Errorf("the tag of %q is %q, want %q", name, got, want)
			}
		}
	})
	t.Run("a name tells its kind, and one that is not ours tells none", func(t *testing.T) {
		t.Parallel()
		id := tracking.NewID()
		for name, want := range map[string]string{
			key.Delivery(id): "delivery", key.Session(id, "s"): "session", key.Geo(5, id): "geo", key.Positions(63): "positions", key.BacklogBytes(0): "positions",
			key.Actor([32]byte{}): "key",
			"":                    "", "5": "", "{": "", "{p1}": "", "{p1}:": "", "{p64}:delivery:1": "", "{p-1}:delivery:1": "", "{p1}:Delivery:1": "", "p1}:delivery": "",
			"{p1}:\xff": "", "sessions:1": "", "{p1}:abcdefghijklmnopqrstuvwxyz:1": "",
		} {
			if got := key.Kind(name); got != want {
				t.Errorf("the kind of %q is %q, want %q", name, got, want)
			}
		}
	})
	t.Run("sessions of one courier are told apart", func(t *testing.T) {
		t.Parallel()
		id := tracking.NewID()
		if key.Session(id, "a") == key.Session(id, "b") || key.Session(id, "") == key.Session(id, "-") {
			t.Error("two sessions share a name")
		}
	})
}

// Ids are made from the time; partitions must fill evenly all the same.
func TestPartition(t *testing.T) {
	t.Parallel()
	const n = 64 * 200
	var count [key.Partitions]int
	for range n {
		count[key.Partition(tracking.NewID())]++
	}
	for p, got := range count {
		if got < 100 || got > 300 {
			t.Errorf("partition %d has %d of %d ids, want about 200", p, got, n)
		}
	}
	// The partition of an id is part of every key: it may never change.
	if got := key.Partition(tracking.ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}); got != goldenPartition {
		t.Errorf("partition %d, want %d", got, goldenPartition)
	}
}

// goldenPartition is FNV-1a (32 bits) of the bytes 1 to 16, modulo 64.
const goldenPartition = 53
