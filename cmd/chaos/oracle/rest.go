package oracle

import "fmt"

// Holding is what a process holds at one moment.
type Holding struct {
	Goroutines int
	Files      int
	Memory     int64
}

// What a process may hold more, at rest after a row, than it held at rest before it. Pools of connections to stores fill up to their limits
// (16 to Postgres, 10 a CPU to Redis) and stay so; memory that was used is given back slowly.
const (
	moreGoroutines = 40
	moreFiles      = 60
	moreMemory     = 96 << 20
)

// CheckRest judges what a node holds after a row against what it held before: I5. extra is memory that the size of the row excuses.
func CheckRest(node string, before, after Holding, extra int64) []Violation {
	var found []Violation
	judge := func(what string, before, after, more int64) {
		if after > before+more {
			found = append(found, Violation{
				Invariant: "I5", Fault: Wrong, Who: node,
				Detail: fmt.Sprintf("%s went from %d to %d and stayed there, without load; %d more is allowed", what, before, after, more),
			})
		}
	}
	judge("goroutines", int64(before.Goroutines), int64(after.Goroutines), moreGoroutines)
	judge("open files", int64(before.Files), int64(after.Files), moreFiles)
	judge("resident bytes", before.Memory, after.Memory, moreMemory+extra)
	return found
}
