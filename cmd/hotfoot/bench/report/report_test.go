//go:build linux

package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"hotfoot/cmd/hotfoot/bench/report"
)

// filled is a report with two systems, one of which lacks a figure.
func filled() *report.Report {
	r := &report.Report{Version: "v1", Machine: "a machine"}
	t := r.New("idle", "on a fresh server")
	for _, bytes := range []float64{300, 100, 200} {
		t.Add("1000 sockets", "bare", report.Reading{Name: "RSS", Unit: "B", Value: bytes})
	}
	t.Add("1000 sockets", "hotfoot", report.Reading{Name: "RSS", Unit: "B", Value: 5123.4}, report.Reading{Name: "goroutines", Value: 1.002})
	t.Note("%d sockets do not fit", 19000)
	t.Note("%d sockets do not fit", 19000)
	return r
}

func TestReport_Text(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := filled().Text(&out); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"hotfoot v1 on a machine", "", "idle: on a fresh server", "", "RSS, B goroutines", "1000 sockets bare 200 –", "1000 sockets hotfoot 5123 1.00",
		"19000 sockets do not fit",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestReport_Judge(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	over := func(want float64) func(float64) bool { return func(v float64) bool { return v >= want } }
	r.Judge("as fast", "at least 3 ×", " ×", []float64{9, 1, 3.5}, over(3))
	r.Judge("faster", "at least 4 ×", " ×", []float64{9, 1, 3.5}, over(4))
	r.Judge("not measured", "any", "", nil, func(float64) bool { return true })
	if v := r.Verdicts; v[0].Measured != 3.5 || !v[0].Reached || v[1].Reached || v[2].Reached {
		t.Errorf("judged %+v, %+v, %+v", v[0], v[1], v[2])
	}
	var out bytes.Buffer
	if err := r.Text(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "as fast at least 3 × 3.50 × yes faster at least 4 × 3.50 × no not measured any – no") {
		t.Errorf("got\n%s", out.String())
	}
}

// One fill too many is one too many, whatever the other repeats say.
func TestReport_JudgeEach(t *testing.T) {
	t.Parallel()
	r := &report.Report{}
	one := func(v float64) bool { return v == 1 }
	r.JudgeEach("one", "1", "", []float64{1, 1, 1}, one)
	r.JudgeEach("more", "1", "", []float64{1, 2, 1}, one)
	r.JudgeEach("none", "1", "", []float64{1, 0, 1}, one)
	r.JudgeEach("not measured", "1", "", nil, one)
	if v := r.Verdicts; !v[0].Reached || v[1].Reached || v[1].Measured != 2 || v[2].Reached || v[3].Reached {
		t.Errorf("%+v, %+v, %+v, %+v", v[0], v[1], v[2], v[3])
	}
}

func TestReport_Markdown(t *testing.T) {
	t.Parallel()
	r := filled()
	r.Judge("small", "at most 1 kB", " B", []float64{200}, func(v float64) bool { return v <= 1024 })
	var out bytes.Buffer
	if err := r.Markdown(&out); err != nil {
		t.Fatal(err)
	}
	want := `hotfoot v1 on a machine

**idle**: on a fresh server

|  |  | RSS, B | goroutines |
|---|---|---:|---:|
| 1000 sockets | bare | 200 | – |
| 1000 sockets | hotfoot | 5123 | 1.00 |

19000 sockets do not fit.

**verdict**

| claim | target | measured | reached |
|---|---|---:|---:|
| small | at most 1 kB | 200 B | yes |
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestReport_JSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := filled().JSON(&out); err != nil {
		t.Fatal(err)
	}
	var got report.Report
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Tables) != 1 || len(got.Tables[0].Rows) != 2 || len(got.Tables[0].Notes) != 1 {
		t.Fatalf("got %s", out.String())
	}
	if f := got.Tables[0].Rows[0].Figures[0]; f.Median != 200 || len(f.Repeats) != 3 || f.Unit != "B" {
		t.Errorf("got %+v", f)
	}
}
