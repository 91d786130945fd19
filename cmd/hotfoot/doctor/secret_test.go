package doctor

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"hotfoot/store/storetest"
)

// Whatever is wrong with an address, what it hides is not said.
func TestExamine_tells_no_secret(t *testing.T) {
	t.Parallel()
	redisURL := storetest.RedisURL(t)
	must(t, connect(t, redisURL).ConfigSet(t.Context(), "requirepass", "another").Err())
	socket, _, _ := strings.Cut(strings.TrimPrefix(redisURL, "unix://"), "?")
	for _, p := range []Patient{
		{DatabaseURL: "postgres://hotfoot:hunter2@127.0.0.1:1/none", RedisURL: "redis://:hunter2@127.0.0.1:1/0"},
		{DatabaseURL: "postgres://hotfoot:hunter2@127.0.0.1:port/none", RedisURL: "redis://user:hunter2@127.0.0.1:port"},
		{DatabaseURL: "postgres://hot foot:hunter2@%zz/none", RedisURL: "rediss://:hunter2@%zz,redis://:hunter2@b:1"},
		{DatabaseURL: "host=127.0.0.1 port=1 user=hotfoot password='hunter2' dbname=none", RedisURL: "http://:hunter2@127.0.0.1"},
		{DatabaseURL: "postgres://127.0.0.1:1/none?user=hotfoot&password=hunter2", RedisURL: "redis://127.0.0.1:1?password=hunter2"},
		{DatabaseURL: "hunter2", RedisURL: "hunter2"},
		{DatabaseURL: "postgres://hotfoot:hunter2%20@127.0.0.1:1,127.0.0.2:1/none?sslmode=hunter2", RedisURL: "unix://:hunter2@" + socket},
	} {
		p.Secret = "hunter2hunter2hunter2hunter2hunter2"
		findings := Examine(t.Context(), p)
		expect(t, findings, "postgres", Bad)
		expect(t, findings, "redis", Bad)
		var out bytes.Buffer
		must(t, PrintJSON(&out, findings))
		if said := text(findings) + out.String(); strings.Contains(said, "hunter") {
			t.Errorf("%q is told:\n%s", p.DatabaseURL, said)
		}
	}
}

// What a library says of an address may hold all of it, or its password alone, as written or as meant.
func TestChart_hide(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, said string }{
		{"postgres://hotfoot:hunter%202@db/hotfoot", "cannot parse postgres://hotfoot:hunter%202@db/hotfoot"},
		{"postgres://hotfoot:hunter%202@db/hotfoot", "password hunter 2 is wrong, hunter%202 is not"},
		{"host=db user=hotfoot password='hunter2'", "cannot parse password=hunter2"},
		{"postgres://db/hotfoot?sslmode=x&password=hunter2", "unknown: hunter2"},
		{"redis://:hunter2@a:1,redis://:hunter3@b:1", "hunter2 and hunter3"},
		{"rediss://:hunter2@%zz", "first path segment: hunter2@%zz"},
		{"hunter2", "hunter2 is no address"},
		{"hunter2hunter2, and more", "hunter2hunter2, and more"},
	} {
		chart := &chart{}
		chart.hide("redis://:h2@elsewhere:1", c.address)
		chart.bad("check", "try "+c.said, "%s", c.said)
		if f := chart.findings[0]; strings.Contains(f.Found+f.Do, "hunter") || !strings.Contains(f.Found, "•••") {
			t.Errorf("of %q it says %+v", c.address, f)
		}
	}
	chart := &chart{}
	chart.hide("", "redis://a:1", "redis://:h@b:1")
	chart.ok("check", "the host\nof this is %d", 1)
	if f := chart.findings[0]; f.Found != "the host of this is 1" {
		t.Errorf("where nothing is hidden it says %q", f.Found)
	}
}

func TestPrint(t *testing.T) {
	t.Parallel()
	findings := []Finding{
		{Check: "schema", Level: OK, Found: "all 2 migrations are applied"},
		{Check: "redis memory", Server: "a:1", Level: Warn, Found: "maxmemory is 0", Do: "CONFIG SET maxmemory 1gb"},
		{Check: "backlog", Level: Bad, Found: "<it> waits", Do: "run a worker"},
	}
	want := `  ok    schema        all 2 migrations are applied
a:1
  warn  redis memory  maxmemory is 0
                      → CONFIG SET maxmemory 1gb
  bad   backlog       <it> waits
                      → run a worker
1 ok, 1 to look at, 1 bad
`
	if got := text(findings); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var coloured bytes.Buffer
	must(t, Print(&coloured, findings, true))
	if !strings.Contains(coloured.String(), "\x1b[31mbad \x1b[0m") {
		t.Errorf("bad is not red: %q", coloured.String())
	}
	var out bytes.Buffer
	must(t, PrintJSON(&out, findings))
	var read struct {
		Healthy  *bool
		Findings []Finding
	}
	must(t, json.Unmarshal(out.Bytes(), &read))
	if read.Healthy == nil || *read.Healthy || len(read.Findings) != 3 || read.Findings[1] != findings[1] || !strings.Contains(out.String(), "<it>") {
		t.Errorf("the JSON is %s", out.String())
	}
}
