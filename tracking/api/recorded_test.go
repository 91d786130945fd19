package api

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// recordedBodies are what phones of all kinds have sent to other servers, where the recordings are at hand: most of it is none of ours, and all of it is
// what a phone that was set up wrongly would send to us.
func recordedBodies(f *testing.F) (bodies [][]byte) {
	f.Helper()
	folder := os.Getenv("HOTFOOT_TESTDATA")
	if folder == "" {
		return nil
	}
	paths, _ := filepath.Glob(filepath.Join(folder, "devices", "*.jsonl"))
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(content) {
			var request struct{ Body string }
			if json.Unmarshal(line, &request) == nil && request.Body != "" {
				bodies = append(bodies, []byte(request.Body))
			}
		}
	}
	if len(bodies) == 0 {
		f.Fatalf("no recorded bodies in %s", folder)
	}
	return bodies
}
