package web

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// phraseCase is one case of test/phrases.json, which the TypeScript twin reads too.
type phraseCase struct {
	Name     string         `json:"name"`
	Lang     string         `json:"lang"`
	Snapshot map[string]any `json:"snapshot"`
	said
}

type said struct {
	Headline string   `json:"headline"`
	Details  []string `json:"details"`
	Late     string   `json:"late"`
	Window   string   `json:"window"`
	Courier  string   `json:"courier"`
	Steps    []string `json:"steps"`
	Timeline []string `json:"timeline"`
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestNarrator_SaysWhatTheScriptsSay(t *testing.T) {
	t.Parallel()
	var file struct {
		Now   time.Time    `json:"now"`
		Cases []phraseCase `json:"cases"`
	}
	readJSON(t, "test/phrases.json", &file)
	words, err := loadLanguages(catalogues)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var frame map[string]any
			readJSON(t, "test/frames/snapshot.json", &frame)
			maps.Copy(frame, c.Snapshot)
			raw, err := json.Marshal(frame)
			if err != nil {
				t.Fatal(err)
			}
			snap, err := parseSnapshot(raw)
			if err != nil {
				t.Fatal(err)
			}
			n := narrator{catalogue: words.byTag[c.Lang], snapshot: snap, now: file.Now, location: time.UTC}
			got := said{
				Headline: n.headline(), Details: n.details(), Late: n.late(), Window: n.window(), Courier: n.courier(),
				Steps: []string{}, Timeline: []string{},
			}
			for _, s := range n.steps() {
				got.Steps = append(got.Steps, s.State+" "+s.Label)
			}
			for _, m := range n.timeline() {
				label := m.Label
				if m.Note != "" {
					label += " · " + m.Note
				}
				got.Timeline = append(got.Timeline, label)
			}
			// The server names its zone, the script knows the reader's.
			for _, text := range []*string{&got.Headline, &got.Late, &got.Window} {
				*text = strings.ReplaceAll(*text, " UTC", "")
			}
			if !reflect.DeepEqual(got, c.said) {
				t.Errorf("said\n%+v\nwant\n%+v", got, c.said)
			}
		})
	}
}
