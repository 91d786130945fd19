package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hotfoot/tracking"
)

// maxReport bounds a report's body: 500 points of half a kilobyte.
const maxReport = 256 << 10

const opReportPositions = "report-positions"

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
		Mock       *bool    `json:"mock,omitempty" doc:"The phone says that an app made this up: kept, and not shown"`
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
		// Suspect is no refusal: the point is kept, and no phone need send it again.
		Suspect string `json:"suspect,omitempty" enum:"teleport,speed,accuracy,mock,null_island" doc:"Why it cannot be true: kept, and not shown"`
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

func (s *Server) mountPositions(engine *gin.Engine) {
	op := s.operation("Courier app", opReportPositions, http.MethodPost, "/v1/courier/positions", "Report where I am", tracking.RoleCourier)
	op.Description = "One position, or up to 500 with a session. A point that is wrong is refused alone, by its receipt. " +
		"200: all of them are committed. 202: accepted, not yet committed, which is no acknowledgement: keep them until durable_seq has passed them."
	op.MaxBodyBytes = maxReport
	// Points are decoded one by one, so the schema only documents.
	op.SkipValidateBody = true
	registry := s.huma.OpenAPI().Components.Schemas
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
		Schema: &huma.Schema{OneOf: []*huma.Schema{huma.SchemaFromType(registry, reflect.TypeFor[reportBody]()), huma.SchemaFromType(registry, reflect.TypeFor[positionBody]())}},
	}}}
	// Most of a report's cost would be the framework's. It documents the route, and takes what is not plain enough for reportQuickly.
	framework := &unrouted{API: s.huma}
	registerOn(s, framework, op, s.reportPositions)
	engine.POST(op.Path, func(c *gin.Context) {
		if !s.reportQuickly(c) {
			framework.handle(humagin.NewContext(&op, c))
		}
	})
}

// unrouted is an API whose only operation is on no route, but may be called.
type unrouted struct {
	huma.API
	handle func(huma.Context)
}

// Adapter implements huma.API.
func (u *unrouted) Adapter() huma.Adapter { return calledDirectly{u.API.Adapter(), u} }

type calledDirectly struct {
	huma.Adapter
	api *unrouted
}

// Handle implements huma.Adapter.
func (d calledDirectly) Handle(_ *huma.Operation, handle func(huma.Context)) { d.api.handle = handle }

// sheet is what one report is read into and answered from; they are used again.
type sheet struct {
	body   []byte
	points []tracking.Point
	answer []byte
}

var (
	sheets   = sync.Pool{New: func() any { return new(sheet) }}
	jsonType = []string{"application/json"}
)

// reportQuickly answers a report that is as it should be, up to what the use case says of it. When it reports false it has answered nothing, and the
// request is as it was.
func (s *Server) reportQuickly(c *gin.Context) bool {
	r := c.Request
	if r.ContentLength <= 0 || r.ContentLength >= maxReport || r.URL.RawQuery != "" {
		return false
	}
	actor, err := s.authenticate(r, secretOf(r.Header), tracking.RoleCourier)
	if err != nil {
		return false
	}
	page := sheets.Get().(*sheet)
	defer sheets.Put(page)
	page.body = slices.Grow(page.body[:0], int(r.ContentLength))[:r.ContentLength]
	n, err := io.ReadFull(r.Body, page.body)
	report, ok := quickReport(page.body[:n], page.points)
	page.points = report.Points[:0]
	if err != nil || !ok {
		r.Body = &again{Reader: io.MultiReader(bytes.NewReader(bytes.Clone(page.body[:n])), r.Body), Closer: r.Body}
		return false
	}
	report.Wait = waitOf(r.Header.Get("Prefer"))
	ctx, cancel := context.WithTimeout(r.Context(), requestLimit+report.Wait)
	defer cancel()
	intake, err := s.take(ctx, actor, report)
	if err != nil {
		s.refuse(c, err)
		return true
	}
	header := c.Writer.Header()
	header["Content-Type"] = jsonType
	if report.Wait > 0 {
		header.Set("Preference-Applied", appliedWait(report.Wait))
	}
	c.Writer.WriteHeader(statusOfIntake(intake))
	page.answer = append(appendIntake(page.answer[:0], intake), '\n')
	_, _ = c.Writer.Write(page.answer)
	return true
}

// again is a body of which a part was read and put back.
type again struct {
	io.Reader
	io.Closer
}

func statusOfIntake(intake tracking.Intake) int {
	if intake.Durable {
		return http.StatusOK
	}
	return http.StatusAccepted
}

func appliedWait(wait time.Duration) string { return "wait=" + strconv.Itoa(int(wait/time.Second)) }

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
	answer := &intakeOut{Status: statusOfIntake(intake), Body: newIntakeBody(intake)}
	if report.Wait > 0 {
		answer.PreferenceApplied = appliedWait(report.Wait)
	}
	return answer, nil
}

// take takes a report and counts what became of its points. The courier's socket uses it too.
func (s *Server) take(ctx context.Context, actor tracking.Actor, report tracking.PositionReport) (tracking.Intake, error) {
	if err := s.Limits.report(actor); err != nil {
		return tracking.Intake{}, err
	}
	intake, err := s.Ingest.Take(ctx, actor, report)
	for i := range intake.Receipts {
		s.metrics.countPoint(intake.Receipts[i])
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
		body.Receipts[i] = receiptBody{Index: i, Result: string(r.Result), Code: string(r.Reject), Suspect: r.Suspect.String()}
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
