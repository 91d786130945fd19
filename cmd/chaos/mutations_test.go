package main

import (
	"bytes"
	"strings"
	"testing"

	"hotfoot/cmd/chaos/mutation"
	"hotfoot/cmd/chaos/oracle"
)

func TestMutationRows(t *testing.T) {
	t.Parallel()
	for _, m := range mutation.All {
		if _, err := choose([]string{m.Row}); err != nil {
			t.Errorf("mutation %q: %v", m.Name, err)
		}
	}
}

func TestResult_sign(t *testing.T) {
	t.Parallel()
	late := oracle.Violation{Invariant: "row", Who: "expected", Detail: "it took 6s"}
	lost := oracle.Violation{Invariant: "I1", Who: "Sam", Detail: "seq 3 is lost"}
	for name, test := range map[string]struct {
		result Result
		want   mutation.Sign
		missed string
	}{
		"the violation is there":             {Result{Broken: []oracle.Violation{late, lost}}, mutation.Sign{Invariant: "I1"}, ""},
		"the violation says so":              {Result{Broken: []oracle.Violation{lost}}, mutation.Sign{Invariant: "I1", Says: "is lost"}, ""},
		"the violation says something else":  {Result{Broken: []oracle.Violation{lost}}, mutation.Sign{Invariant: "I1", Says: "times"}, lost.String()},
		"another invariant is broken":        {Result{Broken: []oracle.Violation{late}}, mutation.Sign{Invariant: "I1"}, late.String()},
		"nothing is broken":                  {Result{}, mutation.Sign{Invariant: "I1"}, "nothing was broken"},
		"the row could not run":              {Result{Skipped: "needs root"}, mutation.Sign{Invariant: "I1"}, "needs root"},
		"the row could not be carried out":   {Result{Error: "no rig"}, mutation.Sign{Invariant: "I1"}, "no rig"},
		"a row that broke off showed enough": {Result{Error: "no rig", Broken: []oracle.Violation{lost}}, mutation.Sign{Invariant: "I1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, missed := test.result.sign(test.want)
			if missed != test.missed || (found == nil) != (missed != "") {
				t.Errorf("found %v, missed %q; want %q", found, missed, test.missed)
			}
		})
	}
}

func TestWriteTrials(t *testing.T) {
	t.Parallel()
	caught := trial{mutation: mutation.Mutation{Name: "a fault", Row: "F1"}, caught: &oracle.Violation{Invariant: "I1", Who: "Sam", Detail: "seq 3 is lost"}, tried: 1}
	survived := trial{mutation: mutation.Mutation{Name: "another", Row: "F2"}, tried: 3, missed: "nothing was broken"}
	var out bytes.Buffer
	writeTrials(&out, []trial{caught, survived})
	for _, want := range []string{
		"| a fault | F1 | I1 | 1 |\n", "| another | F2 | **survived** | 3 |\n", "caught: a fault: I1 Sam: seq 3 is lost\n", "SURVIVED: another: nothing was broken\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
}
