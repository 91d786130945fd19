package main

import (
	"cmp"
	"debug/buildinfo"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotfoot/cmd/chaos/load"
	"hotfoot/cmd/chaos/rig"
)

// Scenario is one row of the suite: a fault, done to a deployment under load.
type Scenario struct {
	ID   string // F and a number, by which rows are sorted and chosen; F4b is a variant of F4
	Name string // the fault, in a few words
	Why  string // what it proves, in one sentence
	// Needs answers why the row cannot run here; "" when it can. Nil for a row that always can.
	Needs func(*Env) string
	Size  load.Size // zero fields get the defaults
	Large load.Size // the size with --long; Size when it is not given
	API   int       // nodes of the roles api and worker; 2
	Gates int       // nodes of the role gateway; 2
	// Workers are nodes of the role worker alone, beside the API nodes, which have it too; 0.
	Workers int
	Env     []string // of every node, in every life
	// Fronts puts a proxy before each node, so that what clients have of it can be spoilt too.
	Fronts bool
	// Masters makes a Redis Cluster of so many, r.Cluster, instead of r.Redis; no proxies lead to it.
	Masters  int
	Postgres rig.PostgresConfig
	Run      func(*Run)
}

// rows are all scenarios; each file of one adds its own.
var rows []Scenario

func add(s Scenario) {
	s.API, s.Gates, s.Large = cmp.Or(s.API, 2), cmp.Or(s.Gates, 2), cmp.Or(s.Large, s.Size)
	rows = append(rows, s)
	slices.SortFunc(rows, func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(number(a.ID), number(b.ID)), cmp.Compare(a.ID, b.ID))
	})
}

func number(id string) int {
	n, _ := strconv.Atoi(strings.TrimRight(strings.TrimPrefix(id, "F"), "b"))
	return n
}

// Env is what a row may need of the machine.
type Env struct {
	Hotfoot string // the program under test
	Long    bool
	For     time.Duration // how long the random nemesis goes on; 0 when not said
}

// Root reports whether we are root.
func (*Env) Root() bool { return os.Geteuid() == 0 }

// Has reports whether a program is installed.
func (*Env) Has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// Built reports whether the program under test was built with a tag, such as failpoints.
func (e *Env) Built(tag string) bool {
	info, err := buildinfo.ReadFile(e.Hotfoot)
	if err != nil {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return slices.Contains(strings.Split(s.Value, ","), tag)
		}
	}
	return false
}
