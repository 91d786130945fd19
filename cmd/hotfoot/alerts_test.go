package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"hotfoot/store/redisstore/vitals"
)

const alertsFile = "../../deploy/prometheus/alerts.yml"

var (
	namedAlert   = regexp.MustCompile(`(?m)^ *- alert: (\w+)$`)
	namedRunbook = regexp.MustCompile(`(?m)^ *runbook: (\S+)$`)
	namedMetric  = regexp.MustCompile(`\bhotfoot_[a-z_]+`)
	metricType   = regexp.MustCompile(`(?m)^# TYPE (\S+) (\w+)$`)
	described    = regexp.MustCompile(`fqName: "(\w+)"`)
)

func TestAlerts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(alertsFile)
	must(t, err)
	rules := namedAlert.Split(string(text), -1)[1:]
	alerts := namedAlert.FindAllStringSubmatch(string(text), -1)
	if len(alerts) < 20 {
		t.Fatalf("only %d alerts were found", len(alerts))
	}
	runbooks := map[string]string{}
	t.Run("each has a runbook, which is there and named after it", func(t *testing.T) {
		for i, rule := range rules {
			alert := alerts[i][1]
			runbook := namedRunbook.FindStringSubmatch(rule)
			if runbook == nil {
				t.Errorf("%s has no runbook", alert)
				continue
			}
			page, err := os.ReadFile(filepath.Join("../..", runbook[1]))
			must(t, err)
			heading, _, _ := strings.Cut(string(page), "\n")
			if !slices.Contains(strings.Split(strings.TrimPrefix(heading, "# "), ", "), alert) {
				t.Errorf("the heading of %s is %q, without %s", runbook[1], heading, alert)
			}
			runbooks[filepath.Base(runbook[1])] += heading
		}
	})
	t.Run("each runbook is for an alert, and names no other", func(t *testing.T) {
		pages, err := os.ReadDir("../../docs/runbooks")
		must(t, err)
		for _, page := range pages {
			heading := runbooks[page.Name()]
			if heading == "" {
				t.Errorf("no alert leads to %s", page.Name())
			}
			first, _, _ := strings.Cut(strings.TrimPrefix(heading, "# "), "#")
			for alert := range strings.SplitSeq(first, ", ") {
				if !slices.ContainsFunc(alerts, func(a []string) bool { return a[1] == alert }) {
					t.Errorf("%s is for %q, which is no alert", page.Name(), alert)
				}
			}
		}
	})
	t.Run("every metric that is named in a rule or a document is one that a node exports", func(t *testing.T) {
		exported := exportedMetrics(t)
		paths := append(glob(t, "../../docs/runbooks/*.md"), alertsFile, "../../deploy/prometheus/alerts_test.yml", "../../docs/operate.md", "../../docs/redis/watching.md")
		for _, path := range paths {
			text, err := os.ReadFile(path)
			must(t, err)
			for _, name := range namedMetric.FindAllString(string(text), -1) {
				if !exported[name] {
					t.Errorf("%s names %s, which no node exports", path, name)
				}
			}
		}
	})
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	must(t, err)
	return paths
}

// exportedMetrics are the names of what a node with every role exports, those of a histogram's parts included, and of what it would say of a cluster or a
// replica.
func exportedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	d := newDeployment(t)
	node := d.start("api,gateway,worker")
	names := map[string]bool{}
	descs := make(chan *prometheus.Desc, 100)
	vitals.NewWatch(nil, vitals.Config{}, nil).Describe(descs)
	close(descs)
	for desc := range descs {
		names[described.FindStringSubmatch(desc.String())[1]] = true
	}
	// A route is known once it was asked for, and Redis once it was looked at.
	call(t, http.MethodGet, node.url+"/v1/deliveries", d.merchantKey, nil, nil, http.StatusOK)
	eventually(t, "metrics of Redis", func() (bool, string) {
		response, err := http.Get(node.admin + "/metrics")
		must(t, err)
		defer response.Body.Close()
		page, err := io.ReadAll(response.Body)
		must(t, err)
		for _, found := range metricType.FindAllStringSubmatch(string(page), -1) {
			names[found[1]] = true
			if found[2] == "histogram" {
				names[found[1]+"_bucket"] = true
			}
		}
		return names["hotfoot_redis_round_trip_seconds"] && strings.Contains(string(page), "hotfoot_redis_memory_used_bytes{"), string(page)
	})
	return names
}
