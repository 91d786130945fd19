package main

import (
	"testing"

	"hotfoot/cmd/chaos/oracle"
)

func TestResult_excusable(t *testing.T) {
	t.Parallel()
	late := oracle.Violation{Invariant: "row", Fault: oracle.Wrong}
	for name, test := range map[string]struct {
		result Result
		want   bool
	}{
		"a bound of the row":      {Result{Broken: []oracle.Violation{late}}, true},
		"a slow recovery":         {Result{Broken: []oracle.Violation{late, {Invariant: "recovery", Fault: oracle.Wrong}}}, true},
		"a slow answer":           {Result{Broken: []oracle.Violation{{Invariant: "I6", Fault: oracle.Wrong}}}, true},
		"something lost":          {Result{Broken: []oracle.Violation{late, {Invariant: "I1", Fault: oracle.Lost}}}, false},
		"something the row lost":  {Result{Broken: []oracle.Violation{{Invariant: "row", Fault: oracle.Lost}}}, false},
		"something that leaks":    {Result{Broken: []oracle.Violation{{Invariant: "I5", Fault: oracle.Wrong}}}, false},
		"a row that went nowhere": {Result{Error: "no rig", Broken: []oracle.Violation{late}}, false},
	} {
		if got := test.result.excusable(); got != test.want {
			t.Errorf("%s: excusable %t", name, got)
		}
	}
}
