package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Vitals are what a process holds.
type Vitals struct {
	Goroutines int
	Files      int   // open descriptors; 0 where there is no /proc
	Memory     int64 // resident bytes; 0 where there is no /proc
}

// Vitals asks the process, and the kernel about it.
func (n *Node) Vitals(ctx context.Context) (Vitals, error) {
	metrics, err := n.Metrics(ctx)
	if err != nil {
		return Vitals{}, err
	}
	v := Vitals{Goroutines: int(metrics["go_goroutines"])}
	n.mu.Lock()
	proc := filepath.Join("/proc", strconv.Itoa(n.process.cmd.Process.Pid))
	n.mu.Unlock()
	if files, err := os.ReadDir(filepath.Join(proc, "fd")); err == nil {
		v.Files = len(files)
	}
	if statm, err := os.ReadFile(filepath.Join(proc, "statm")); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			v.Memory = pages * int64(os.Getpagesize())
		}
	}
	return v, nil
}

// scraper keeps no connection: it would be one of the things counted.
var scraper = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}

// Metrics reads what the node tells Prometheus, by name with labels as in hotfoot_sockets{kind="ops"}.
func (n *Node) Metrics(ctx context.Context) (map[string]float64, error) {
	n.mu.Lock()
	p := n.process
	n.mu.Unlock()
	p.mu.Lock()
	url := p.admin + "/metrics"
	p.mu.Unlock()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := scraper.Do(request)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", n.Name, err)
	}
	defer response.Body.Close()
	metrics := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		// The value is the last word; a label may hold spaces.
		line := lines.Text()
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if value, err := strconv.ParseFloat(line[cut+1:], 64); err == nil {
			metrics[line[:cut]] = value
		}
	}
	return metrics, errors.Join(lines.Err())
}
