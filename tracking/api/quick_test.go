package api

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotfoot/tracking"
)

// quickly are reports as phones write them, which must not need the slow way.
var quickly = []string{
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
	` { "lat" : 1.5 , "lon" : -0 , "recorded_at" : "2026-03-04T18:10:00.5+01:00" } ` + "\n",
	`{"session":"a-1","positions":[{"seq":1,"lat":0,"lon":0,"recorded_at":"2026-03-04T18:10:00.123456Z"}]}`,
	`{"positions":[{"seq":null,"lat":37.781212345678901,"lon":-122.41,"recorded_at":"2026-03-04T18:10:00Z","accuracy_m":5.25,"speed_mps":null,` +
		`"heading_deg":359.9,"altitude_m":-12e-1,"battery":1E0,"mock":true},{"mock":false,"battery":0.5,"recorded_at":"2026-03-04T18:10:00Z","lon":1,"lat":2}],"session":""}`,
	`{"lat":1,"mock": null ,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
}

// slowly are what it must leave to ParseReport, be it right or wrong.
var slowly = []string{
	``, `{`, `{}`, `[]`, `null`, `{"positions":[]}`, `{"positions":[{}]}`, `{"positions":null}`, `{"lat":1,"lon":2}`, `{"lat":1,"lon":2,"recorded_at":"yesterday"}`,
	`{"lat":01,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":1.,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":.5,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
	`{"lat":+1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":1e400,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":-,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
	`{"lat":1e,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":null,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"LAT":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
	`{"lat":1,"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","device":"x"}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}x`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}{}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z",}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","seq":-1}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","seq":01}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","seq":9007199254740992}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","seq":1.0}`,
	`{"l\u0061t":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, "{\"lat\":1,\"lon\":2,\"recorded_at\":\"2026-03-04T18:10:00Z\",\"\xff\":1}",
	`{"session":null,"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}]}`, `{"session":"é","positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}]}`,
	`{"session":"a","lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}],"lat":1}`,
	`{"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"},]}`, `{"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"},null]}`,
	`{"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}],"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}]}`,
	`{"session":"a","session":"b","positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}]}`, `{"session":"a"}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"`,
	`{"lat":1 "lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","battery":nul}`, `{"lat":0x1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":1}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":"true"}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":tru}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":True}`,
	`{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":true,"mock":true}`, `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z","mock":truefalse}`,
}

func TestQuickReport(t *testing.T) {
	t.Parallel()
	for _, body := range quickly {
		if _, ok := quickReport([]byte(body), nil); !ok {
			t.Errorf("%s goes the slow way", body)
		}
		sameReport(t, []byte(body))
	}
	for _, body := range slowly {
		if report, ok := quickReport([]byte(body), nil); ok {
			t.Errorf("%s is read as %+v", body, report)
		}
	}
	point := `{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}`
	list := func(n int) []byte {
		return []byte(`{"positions":[` + strings.TrimSuffix(strings.Repeat(point+",", n), ",") + `]}`)
	}
	if report, ok := quickReport(list(tracking.MaxPoints), nil); !ok || len(report.Points) != tracking.MaxPoints {
		t.Errorf("%d points of the most there may be are read", len(report.Points))
	}
	if _, ok := quickReport(list(tracking.MaxPoints+1), nil); ok {
		t.Error("one point too many is read")
	}
}

// sameReport holds quickReport, where it reads something, to ParseReport.
func sameReport(t interface {
	Helper()
	Errorf(string, ...any)
}, body []byte,
) {
	t.Helper()
	quick, ok := quickReport(body, make([]tracking.Point, 3)[:0])
	if !ok {
		return
	}
	slow, err := ParseReport(body)
	if err != nil || quick.Session != slow.Session || !reflect.DeepEqual(quick.Points, slow.Points) {
		t.Errorf("%q\nis read as %+v\nand slowly %+v, %v", body, quick, slow, err)
	}
}

// sameMessage does the same for quickMessage.
func sameMessage(t *testing.T, message []byte) (quickly bool) {
	t.Helper()
	id, quick, ok := quickMessage(message, nil)
	if !ok {
		return false
	}
	slowID, body, err := openMessage(message)
	var slow tracking.PositionReport
	if err == nil {
		slow, err = ParseReport(body)
	}
	if err != nil || string(id) != string(slowID) || quick.Session != slow.Session || !reflect.DeepEqual(quick.Points, slow.Points) {
		t.Errorf("%q\nis read as %s %+v\nand slowly %s %+v, %v", message, id, quick, slowID, slow, err)
	}
	return true
}

func TestQuickMessage(t *testing.T) {
	t.Parallel()
	for _, body := range quickly {
		for _, more := range []string{`{"type":"positions",`, `{"type":"positions","id":7,`, `{"id":"a b","type":"positions",`} {
			if message := strings.Replace(body, "{", more, 1); !sameMessage(t, []byte(message)) {
				t.Errorf("%s goes the slow way", message)
			}
		}
		for _, more := range []string{`{`, `{"id":7,`, `{"type":"position",`, `{"type":"positions","type":"positions",`, `{"type":"positions","id":7,"id":7,`, `{"type":"positions","id":1.5,`} {
			if message := strings.Replace(body, "{", more, 1); sameMessage(t, []byte(message)) {
				t.Errorf("%s is read", message)
			}
		}
	}
}

func FuzzQuickMessage(f *testing.F) {
	for _, seed := range quickly {
		f.Add([]byte(strings.Replace(seed, "{", `{"type":"positions","id":7,`, 1)))
	}
	f.Add([]byte(`{"positions":[{"lat":1,"lon":2,"recorded_at":"2026-03-04T18:10:00Z"}],"id":"x","type":"positions"}`))
	f.Fuzz(func(t *testing.T, message []byte) { sameMessage(t, message) })
}

func FuzzQuickReport(f *testing.F) {
	for _, seed := range append(quickly, slowly...) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) { sameReport(t, body) })
}

// Numbers are the one place where a scanner of our own could be off by a little.
func TestScanner_number(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		sameReport(t, []byte(`{"lat":`+text+`,"lon":`+text+`,"altitude_m":`+text+`,"recorded_at":"2026-03-04T18:10:00Z"}`))
	})
}

func TestAppendIntake(t *testing.T) {
	t.Parallel()
	number := rapid.Int64Range(0, maxSeq)
	rapid.Check(t, func(t *rapid.T) {
		intake := tracking.Intake{
			AcceptedSeq: number.Draw(t, "accepted"), DurableSeq: number.Draw(t, "durable"), ResendFrom: rapid.SampledFrom([]int64{0, 1, maxSeq}).Draw(t, "resend"),
			NextReport: time.Duration(rapid.IntRange(1, 99).Draw(t, "next")) * time.Second,
		}
		for range rapid.IntRange(0, 4).Draw(t, "receipts") {
			intake.Receipts = append(intake.Receipts, tracking.Receipt{
				Seq:    rapid.SampledFrom([]int64{0, 1, maxSeq}).Draw(t, "seq"),
				Result: rapid.SampledFrom([]tracking.Result{tracking.ResultLive, tracking.ResultLate, tracking.ResultDuplicate, tracking.ResultRejected}).Draw(t, "result"),
				Reject: rapid.SampledFrom(append(tracking.Rejects, "")).Draw(t, "reject"), Suspect: rapid.SampledFrom(append(tracking.Suspicions, tracking.Believed)).Draw(t, "suspect"),
			})
		}
		var want bytes.Buffer
		if err := encode(&want, newIntakeBody(intake)); err != nil {
			t.Fatal(err)
		}
		if got := appendIntake(nil, intake); string(got)+"\n" != want.String() {
			t.Fatalf("%s\nwant %s", got, want.String())
		}
	})
}
