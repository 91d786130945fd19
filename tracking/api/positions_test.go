package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotfoot/tracking"
)

// receipts shows an answer's receipts as "live late?teleport rejected/coordinate".
func receipts(t *testing.T, o object) string {
	t.Helper()
	var out []string
	for i, r := range o["receipts"].([]any) {
		r := r.(object)
		if r["index"] != float64(i) {
			t.Errorf("receipt %d has index %v", i, r["index"])
		}
		result := text(r["result"])
		if code := text(r["code"]); code != "" {
			result += "/" + code
		}
		if suspect := text(r["suspect"]); suspect != "" {
			result += "?" + suspect
		}
		out = append(out, result)
	}
	return strings.Join(out, " ")
}

func (s *site) stored(t *testing.T, courier string) (n int) {
	t.Helper()
	must(t, s.pool.QueryRow(t.Context(), "SELECT count(*) FROM positions WHERE courier_id = $1", courier).Scan(&n))
	return n
}

func TestServer_Positions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	send := func(t *testing.T, p phone, body any, headers ...string) answer {
		t.Helper()
		return s.do(t, "POST", "/v1/courier/positions", p.token, body, headers...)
	}
	t.Run("one bare position is accepted, shown and then stored", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		o := send(t, sam, fix(0)).want(t, 202)
		if receipts(t, o) != "live" || o["next_report_s"] != 10.0 {
			t.Errorf("got %v", o)
		}
		eventually(t, "the position is stored", func() bool { return s.stored(t, sam.id) == 1 })
	})
	t.Run("a batch is answered point by point, and its seqs become durable", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		o := send(t, sam, object{"session": "a", "positions": []object{
			fix(3*time.Second, "seq", 1), fix(2*time.Second, "seq", 2), fix(time.Second, "seq", 3, "accuracy_m", 5, "speed_mps", 3.5, "heading_deg", 360, "altitude_m", -3, "battery", 1),
		}}).want(t, 202)
		if receipts(t, o) != "late late live" || o["accepted_seq"] != 3.0 || o["durable_seq"] != 0.0 || o["resend_from"] != nil {
			t.Errorf("got %v", o)
		}
		eventually(t, "durable_seq is 3", func() bool {
			again := send(t, sam, object{"session": "a", "positions": []object{fix(time.Second, "seq", 3)}})
			return again.status == 200 && again.object(t)["durable_seq"] == 3.0
		})
		if got := s.stored(t, sam.id); got < 3 {
			t.Errorf("%d points stored, want 3 and repeats", got)
		}
	})
	t.Run("Prefer: wait holds the answer until all is durable", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		a := send(t, sam, object{"session": "a", "positions": []object{fix(time.Second, "seq", 1), fix(0, "seq", 2)}}, "Prefer: respond-async, wait=10")
		o := a.want(t, 200)
		if o["durable_seq"] != 2.0 || receipts(t, o) != "late live" || a.header.Get("Preference-Applied") != "wait=10" {
			t.Errorf("got %v, Preference-Applied %q", o, a.header.Get("Preference-Applied"))
		}
		if got := s.stored(t, sam.id); got != 2 {
			t.Errorf("%d points stored, want 2", got)
		}
		if o := send(t, sam, fix(0), "Prefer: wait=5").want(t, 200); receipts(t, o) != "live" {
			t.Errorf("without a seq: got %v", o)
		}
	})
	t.Run("the same point again is a duplicate and one row", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		batch := object{"session": "a", "positions": []object{fix(0, "seq", 1)}}
		send(t, sam, batch, "Prefer: wait=10").want(t, 200)
		if o := send(t, sam, batch, "Prefer: wait=10").want(t, 200); receipts(t, o) != "duplicate" {
			t.Errorf("got %v", o)
		}
		bare := fix(0)
		send(t, sam, bare, "Prefer: wait=10").want(t, 200)
		if o := send(t, sam, bare, "Prefer: wait=10").want(t, 200); receipts(t, o) != "duplicate" {
			t.Errorf("without a seq: got %v", o)
		}
		if got := s.stored(t, sam.id); got != 2 {
			t.Errorf("%d rows, want 2", got)
		}
	})
	t.Run("a hole is named", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		o := send(t, sam, object{"session": "a", "positions": []object{fix(2*time.Second, "seq", 1), fix(0, "seq", 4)}}).want(t, 202)
		if o["accepted_seq"] != 4.0 || o["resend_from"] != 2.0 {
			t.Errorf("got %v", o)
		}
		o = send(t, sam, object{"session": "a", "positions": []object{fix(time.Second, "seq", 2), fix(time.Second, "seq", 3)}}, "Prefer: wait=10").want(t, 200)
		if o["resend_from"] != nil {
			t.Errorf("got %v", o)
		}
	})
	t.Run("backlog is stored and never live; nothing older than the marker is live", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		if o := send(t, sam, object{"positions": []object{fix(time.Hour), fix(3 * time.Minute)}}).want(t, 202); receipts(t, o) != "late late" {
			t.Errorf("got %v", o)
		}
		send(t, sam, fix(10*time.Second)).want(t, 202)
		if o := send(t, sam, fix(20*time.Second)).want(t, 202); receipts(t, o) != "late" {
			t.Errorf("got %v", o)
		}
	})
	t.Run("one bad point of each kind gets its receipt and the rest is taken", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		body, want := badPoints()
		a := send(t, sam, body, "Prefer: wait=10")
		o := a.want(t, 200)
		if got := receipts(t, o); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := s.stored(t, sam.id); got != strings.Count(want, "live")+strings.Count(want, "late") {
			t.Errorf("%d rows stored for %s", got, want)
		}
	})
	t.Run("a rejected point's seq is settled, so that the phone need not send it for ever", func(t *testing.T) {
		t.Parallel()
		sam := s.onDuty(t)
		o := send(t, sam, object{"session": "a", "positions": []object{fix(time.Second, "seq", 1), fix(0, "seq", 2, "lat", 91), fix(0, "seq", 3)}}, "Prefer: wait=10").want(t, 200)
		if o["durable_seq"] != 3.0 || receipts(t, o) != "late rejected/coordinate live" {
			t.Errorf("got %v", o)
		}
	})
	t.Run("off shift everything is refused and nothing of it kept", func(t *testing.T) {
		t.Parallel()
		sam := s.hire(t, s.tenant, "Sam")
		for _, wait := range []string{"Prefer: none", "Prefer: wait=5"} {
			send(t, sam, fix(0), wait).refused(t, 403, tracking.CodeOffShift)
			send(t, sam, object{"session": "a", "positions": []object{fix(0, "seq", 1)}}, wait).refused(t, 403, tracking.CodeOffShift)
		}
		s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": true}).want(t, 200)
		send(t, sam, fix(0), "Prefer: wait=5").want(t, 200)
		s.do(t, "PUT", "/v1/courier/shift", sam.token, object{"on_duty": false}).want(t, 200)
		send(t, sam, fix(0), "Prefer: wait=5").refused(t, 403, tracking.CodeOffShift)
		if got := s.stored(t, sam.id); got != 1 {
			t.Errorf("%d rows, want the one of the shift", got)
		}
	})
	t.Run("two couriers' seqs and sessions are their own", func(t *testing.T) {
		t.Parallel()
		sam, max := s.onDuty(t), s.onDuty(t)
		batch := object{"session": "a", "positions": []object{fix(0, "seq", 1)}}
		send(t, sam, batch, "Prefer: wait=10").want(t, 200)
		if o := send(t, max, batch, "Prefer: wait=10").want(t, 200); receipts(t, o) != "live" {
			t.Errorf("another courier: %v", o)
		}
		if o := send(t, sam, with(batch, "session", "b"), "Prefer: wait=10").want(t, 200); receipts(t, o) != "duplicate" && receipts(t, o) != "late" {
			t.Errorf("another session: %v", o)
		}
	})
}

// badPoints is a body of good and bad points, and the receipts it must get.
func badPoints() (body, want string) {
	now := time.Now()
	good := func(more string) string {
		return fmt.Sprintf(`{"lat":1,"lon":2,"recorded_at":%q%s}`, stamp(now.Add(-time.Minute)), more)
	}
	at := func(text string) string { return fmt.Sprintf(`{"lat":1,"lon":2,"recorded_at":%s}`, text) }
	place := func(text string) string { return fmt.Sprintf(`{%s,"recorded_at":%q}`, text, stamp(now)) }
	quoted := func(t time.Time) string { return `"` + stamp(t) + `"` }
	points := []struct{ body, want string }{
		{at(quoted(now.Add(-time.Second))), "live"},
		{place(`"lat":0,"lon":0`)[:17] + fmt.Sprintf(`"recorded_at":%q}`, stamp(now.Add(-30*time.Second))), "late?null_island"},
		{place(`"lon":2`), "rejected/coordinate"},
		{place(`"lat":1`), "rejected/coordinate"},
		{place(`"lat":null,"lon":2`), "rejected/coordinate"},
		{place(`"lat":"1","lon":2`), "rejected/coordinate"},
		{place(`"lat":90.000001,"lon":2`), "rejected/coordinate"},
		{place(`"lat":1,"lon":-180.5`), "rejected/coordinate"},
		{place(`"lat":1e308,"lon":2`), "rejected/coordinate"},
		{place(`"lat":1e400,"lon":2`), "rejected/coordinate"},
		{place(`"lat":[1],"lon":2`), "rejected/coordinate"},
		{`{"lat":1,"lon":2}`, "rejected/recorded_at"},
		{at(`null`), "rejected/recorded_at"},
		{at(`"yesterday"`), "rejected/recorded_at"},
		{at(`1772648138`), "rejected/recorded_at"},
		{at(`"2026-02-30T00:00:00Z"`), "rejected/recorded_at"},
		{at(`"2026-03-04T18:10:00"`), "rejected/recorded_at"},
		{at(quoted(now.Add(24 * time.Hour))), "rejected/in_future"},
		{at(`"2038-01-19T03:14:08Z"`), "rejected/in_future"},
		{at(`"1970-01-01T00:00:00Z"`), "rejected/too_old"},
		{at(`"0001-01-01T00:00:00Z"`), "rejected/recorded_at"},
		{good(`,"accuracy_m":-1`), "rejected/reading"},
		{good(`,"speed_mps":1e5`), "rejected/reading"},
		{good(`,"heading_deg":361`), "rejected/reading"},
		{good(`,"battery":1.01`), "rejected/reading"},
		{good(`,"battery":"full"`), "rejected/reading"},
		{good(`,"altitude_m":1e39`), "rejected/reading"},
		{good(`,"accuracy_m":null`), "late"},
		{good(`,"seq":-1`), "rejected/seq"},
		{good(`,"seq":1.5`), "rejected/seq"},
		{good(`,"seq":1e3`), "rejected/seq"},
		{good(`,"seq":"1"`), "rejected/seq"},
		{good(`,"seq":9007199254740992`), "rejected/seq"},
		{good(`,"speed":3`), "rejected/malformed"},
		{good(`,"LAT":3`), "rejected/malformed"},
		{`null`, "rejected/malformed"},
		{`7`, "rejected/malformed"},
		{`[]`, "rejected/malformed"},
	}
	var bodies, wants []string
	for _, p := range points {
		bodies, wants = append(bodies, p.body), append(wants, p.want)
	}
	return `{"session":"bad","positions":[` + strings.Join(bodies, ",") + `]}`, strings.Join(wants, " ")
}

func TestServer_Positions_badBody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sam := s.onDuty(t)
	point := fmt.Sprintf(`{"lat":1,"lon":2,"recorded_at":%q}`, stamp(time.Now()))
	list := func(n int) string {
		return `{"positions":[` + strings.TrimSuffix(strings.Repeat(point+",", n), ",") + `]}`
	}
	for name, c := range map[string]struct {
		body     string
		status   int
		code     tracking.Code
		location string
	}{
		"nothing":                       {"", 400, tracking.CodeMalformed, ""},
		"not JSON":                      {"lat=1", 400, tracking.CodeMalformed, ""},
		"a truncated object":            {point[:20], 400, tracking.CodeMalformed, ""},
		"a second value behind":         {point + point, 400, tracking.CodeMalformed, ""},
		"a bracket behind":              {point + "]", 400, tracking.CodeMalformed, ""},
		"the NaN literal":               {`{"lat":NaN,"lon":2}`, 400, tracking.CodeMalformed, ""},
		"broken UTF-8":                  {`{"session":"` + "\xff" + `","positions":[` + point + `]}`, 400, tracking.CodeMalformed, ""},
		"a byte order mark":             {"\ufeff" + point, 400, tracking.CodeMalformed, ""},
		"a key twice":                   {`{"positions":[` + point + `],"positions":[` + point + `]}`, 400, tracking.CodeMalformed, "positions"},
		"a key twice in a point":        {`{"positions":[` + point + `,{"lat":1,"l\u0061t":2}]}`, 400, tracking.CodeMalformed, "positions[1].lat"},
		"nesting without end":           {`{"positions":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, 400, tracking.CodeMalformed, ""},
		"NUL in a text":                 {`{"session":"a\u0000","positions":[` + point + `]}`, 400, tracking.CodeMalformed, "session"},
		"a list":                        {`[` + point + `]`, 422, tracking.CodeInvalid, "body"},
		"null":                          {`null`, 422, tracking.CodeInvalid, "body"},
		"a text":                        {`"x"`, 422, tracking.CodeInvalid, "body"},
		"no positions":                  {`{"positions":[]}`, 422, tracking.CodeInvalid, "positions"},
		"null positions":                {`{"positions":null}`, 422, tracking.CodeInvalid, "positions"},
		"positions that are no list":    {`{"positions":{}}`, 422, tracking.CodeInvalid, "positions"},
		"an unknown field":              {`{"positions":[` + point + `],"device":"x"}`, 422, tracking.CodeInvalid, "device"},
		"an unknown field in a point":   {`{"lat":1,"lon":2,"speed":3}`, 422, tracking.CodeInvalid, "speed"},
		"a session that is no text":     {`{"session":7,"positions":[` + point + `]}`, 422, tracking.CodeInvalid, "session"},
		"a session of 65 characters":    {`{"session":"` + strings.Repeat("s", 65) + `","positions":[` + point + `]}`, 422, tracking.CodeInvalid, "session"},
		"a session that forges a key":   {`{"session":"a}:{b","positions":[` + point + `]}`, 422, tracking.CodeInvalid, "session"},
		"a session with a glob":         {`{"session":"*","positions":[` + point + `]}`, 422, tracking.CodeInvalid, "session"},
		"501 positions":                 {list(501), 413, tracking.CodeTooLarge, "positions"},
		"a body over its limit":         {`{"positions":[` + point + `]` + strings.Repeat(" ", 256<<10) + `}`, 413, tracking.CodeTooLarge, ""},
		"a number of a thousand digits": {`{"positions":[` + point + `],"session":` + strings.Repeat("1", 1000) + `}`, 422, tracking.CodeInvalid, "session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := s.do(t, "POST", "/v1/courier/positions", sam.token, c.body).refused(t, c.status, c.code)
			if c.location != "" {
				at(t, p, c.location)
			}
		})
	}
	t.Run("500 positions are taken", func(t *testing.T) {
		t.Parallel()
		s.do(t, "POST", "/v1/courier/positions", sam.token, list(500)).want(t, 202)
	})
}
