package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hotfoot/tracking"
)

// maxReport bounds a report's body: 500 points of half a kilobyte.
const maxReport = 256 << 10

// maxWait bounds how long a phone may ask to wait for its points to be durable.
const maxWait = 10 * time.Second

type (
	positionBody struct {
		Seq        *int64   `json:"seq,omitempty" minimum:"0" doc:"Counts from 1 within the session"`
		RecordedAt string   `json:"recorded_at" format:"date-time"`
		Lat        float64  `json:"lat" minimum:"-90" maximum:"90"`
		Lon        float64  `json:"lon" minimum:"-180" maximum:"180"`
		AccuracyM  *float64 `json:"accuracy_m,omitempty"`
		SpeedMPS   *float64 `json:"speed_mps,omitempty"`
		HeadingDeg *float64 `json:"heading_deg,omitempty"`
		AltitudeM  *float64 `json:"altitude_m,omitempty"`
		Battery    *float64 `json:"battery,omitempty" doc:"0 to 1"`
	}
	reportBody struct {
		Session   string         `json:"session,omitempty" doc:"One for each time the app counts anew: letters, digits, - _ . up to 64"`
		Positions []positionBody `json:"positions" minItems:"1" maxItems:"500"`
	}
	receiptBody struct {
		Index  int    `json:"index"`
		Seq    *int64 `json:"seq,omitempty"`
		Result string `json:"result" enum:"live,late,duplicate,rejected"`
		Code   string `json:"code,omitempty"`
	}
	// intakeBody answers a report, over HTTP and over the courier's socket.
	intakeBody struct {
		AcceptedSeq int64         `json:"accepted_seq" doc:"Highest seq of the session that has arrived; no acknowledgement"`
		DurableSeq  int64         `json:"durable_seq" doc:"Every seq up to here is committed: the phone may forget those, and only those. Take the highest it ever heard"`
		ResendFrom  int64         `json:"resend_from,omitempty" doc:"A seq that is missing although a later one has arrived: send again from here. A phone that has forgotten it begins a new session"`
		NextReportS int           `json:"next_report_s" doc:"Seconds until the next report is useful"`
		Receipts    []receiptBody `json:"receipts"`
	}
	intakeOut struct {
		Status            int
		PreferenceApplied string `header:"Preference-Applied"`
		Body              intakeBody
	}
)

func (s *Server) mountPositions() {
	op := s.operation("Courier app", "report-positions", http.MethodPost, "/v1/courier/positions", "Report where I am", tracking.RoleCourier)
	op.Description = "One position, or up to 500 with a session. A point that is wrong is refused alone, by its receipt. " +
		"200: all of them are committed. 202: accepted, not yet committed, which is no acknowledgement: keep them until durable_seq has passed them."
	op.MaxBodyBytes = maxReport
	// Points are decoded one by one, so the schema only documents.
	op.SkipValidateBody = true
	registry := s.huma.OpenAPI().Components.Schemas
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
		Schema: &huma.Schema{OneOf: []*huma.Schema{huma.SchemaFromType(registry, reflect.TypeFor[reportBody]()), huma.SchemaFromType(registry, reflect.TypeFor[positionBody]())}},
	}}}
	register(s, op, s.reportPositions)
}

type reportRequest struct {
	Prefer  string `header:"Prefer" doc:"wait=N: hold the answer up to N seconds until the points are committed"`
	RawBody []byte `contentType:"application/json"`
}

// patience is how much longer than usual the phone is willing to wait.
func (r *reportRequest) patience() time.Duration { return waitOf(r.Prefer) }

func (s *Server) reportPositions(ctx context.Context, in *reportRequest) (*intakeOut, error) {
	report, err := ParseReport(in.RawBody)
	if err != nil {
		return nil, err
	}
	report.Wait = waitOf(in.Prefer)
	intake, err := s.take(ctx, actorOf(ctx), report)
	if err != nil {
		return nil, err
	}
	answer := &intakeOut{Status: http.StatusAccepted, Body: newIntakeBody(intake)}
	if intake.Durable {
		answer.Status = http.StatusOK
	}
	if report.Wait > 0 {
		answer.PreferenceApplied = "wait=" + strconv.Itoa(int(report.Wait/time.Second))
	}
	return answer, nil
}

// take takes a report and counts what became of its points. The courier's socket uses it too.
func (s *Server) take(ctx context.Context, actor tracking.Actor, report tracking.PositionReport) (tracking.Intake, error) {
	intake, err := s.Ingest.Take(ctx, actor, report)
	for _, r := range intake.Receipts {
		s.metrics.points.WithLabelValues(string(r.Result), string(r.Reject)).Inc()
	}
	return intake, err
}

// newIntakeBody is an intake as phones read it.
func newIntakeBody(intake tracking.Intake) intakeBody {
	body := intakeBody{
		AcceptedSeq: intake.AcceptedSeq, DurableSeq: intake.DurableSeq, ResendFrom: intake.ResendFrom,
		NextReportS: int(intake.NextReport / time.Second), Receipts: make([]receiptBody, len(intake.Receipts)),
	}
	for i := range intake.Receipts {
		r := &intake.Receipts[i]
		body.Receipts[i] = receiptBody{Index: i, Result: string(r.Result), Code: string(r.Reject)}
		if r.Seq > 0 {
			body.Receipts[i].Seq = &r.Seq
		}
	}
	return body
}

// waitOf reads "wait=N" of a Prefer header (RFC 7240), in seconds; anything else is no preference.
func waitOf(prefer string) time.Duration {
	for preference := range strings.FieldsFuncSeq(prefer, func(r rune) bool { return r == ',' || r == ';' }) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(preference), "wait="); ok {
			if n, err := strconv.Atoi(text); err == nil && n > 0 {
				return time.Duration(min(n, int(maxWait/time.Second))) * time.Second
			}
		}
	}
	return 0
}

// ParseReport reads a body: one bare position, or {session?, positions}. It fails as a whole only when it cannot be read as either:
// CodeMalformed, CodeInvalid, CodeTooLarge. A point that is wrong carries its reason instead.
func ParseReport(body []byte) (tracking.PositionReport, error) {
	var report tracking.PositionReport
	if err := checkStrict(body); err != nil {
		return report, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return report, tracking.Invalid("body", "must be a position, or an object with positions")
	}
	list, batch := fields["positions"]
	if !batch {
		for name := range fields {
			if !knownField(name) {
				return report, tracking.Invalid(printable([]byte(name)), "unknown field")
			}
		}
		report.Points = []tracking.Point{parsePoint(body)}
		return report, nil
	}
	for name, value := range fields {
		switch name {
		case "positions":
		case "session":
			if err := json.Unmarshal(value, &report.Session); err != nil {
				return report, tracking.Invalid("session", "must be text")
			}
		default:
			return report, tracking.Invalid(printable([]byte(name)), "unknown field")
		}
	}
	var points []json.RawMessage
	if err := json.Unmarshal(list, &points); err != nil || len(points) == 0 {
		return report, tracking.Invalid("positions", "must be a list of at least one position")
	}
	if len(points) > tracking.MaxPoints {
		err := tracking.Invalid("positions", "must be at most %d; send the rest in another report", tracking.MaxPoints)
		err.Code = tracking.CodeTooLarge
		return report, err
	}
	report.Points = make([]tracking.Point, len(points))
	for i, raw := range points {
		report.Points[i] = parsePoint(raw)
	}
	return report, nil
}

func knownField(name string) bool {
	switch name {
	case "seq", "recorded_at", "lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery":
		return true
	}
	return false
}

// parsePoint reads one point, field by field, so that the receipt can say which one is wrong.
func parsePoint(raw []byte) tracking.Point {
	var point tracking.Point
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		point.Reject = tracking.RejectMalformed
		return point
	}
	reject := func(why tracking.Reject) {
		if point.Reject == "" {
			point.Reject = why
		}
	}
	p := &point.Position
	if seq, ok := fields["seq"]; ok && !isNull(seq) {
		n, err := strconv.ParseInt(string(seq), 10, 64)
		if err != nil || n < 0 || n > maxSeq {
			reject(tracking.RejectSeq)
		} else {
			point.Seq = n
		}
	}
	if !number(fields["lat"], &p.Lat) || !number(fields["lon"], &p.Lon) {
		reject(tracking.RejectCoordinate)
	}
	var text string
	if err := json.Unmarshal(fields["recorded_at"], &text); err != nil {
		reject(tracking.RejectTime)
	} else if at, err := time.Parse(time.RFC3339, text); err != nil {
		reject(tracking.RejectTime)
	} else {
		p.RecordedAt = at.UTC().Truncate(time.Millisecond)
	}
	for name, target := range map[string]*tracking.Reading{
		"accuracy_m": &p.AccuracyM, "speed_mps": &p.SpeedMPS, "heading_deg": &p.HeadingDeg, "altitude_m": &p.AltitudeM, "battery": &p.Battery,
	} {
		var v float64
		switch value, ok := fields[name]; {
		case !ok || isNull(value):
		case number(value, &v):
			*target = tracking.Read(v)
		default:
			reject(tracking.RejectReading)
		}
	}
	for name := range fields {
		if !knownField(name) {
			reject(tracking.RejectMalformed)
		}
	}
	return point
}

// maxSeq is the highest seq that every part of the way, JavaScript and Lua included, counts exactly.
const maxSeq = 1<<53 - 1

func isNull(raw json.RawMessage) bool { return bytes.Equal(raw, []byte("null")) }

func number(raw json.RawMessage, v *float64) bool {
	if len(raw) == 0 || isNull(raw) {
		return false
	}
	return json.Unmarshal(raw, v) == nil
}
