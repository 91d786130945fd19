package web

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// typed are the texts of a snapshot that people have typed, each with a way to set it.
var typed = []func(snapshot map[string]any, text string){
	func(s map[string]any, text string) { s["merchant"].(map[string]any)["name"] = text },
	func(s map[string]any, text string) { s["courier"].(map[string]any)["name"] = text },
	func(s map[string]any, text string) { s["dropoff"].(map[string]any)["address"] = text },
	func(s map[string]any, text string) { s["dropoff"].(map[string]any)["name"] = text },
	func(s map[string]any, text string) { newest(s)["reason"] = text },
	func(s map[string]any, text string) {
		newest(s)["proof"] = map[string]any{"left_at": text, "name": text}
	},
}

func newest(snapshot map[string]any) map[string]any {
	events := snapshot["events"].([]any)
	return events[len(events)-1].(map[string]any)
}

// A text is a text on the customer's page, whatever it says and whatever language is asked for: the page has the tags that it has with a harmless one.
func FuzzSite_Customer(f *testing.F) {
	frame, err := os.ReadFile("test/frames/snapshot.json")
	if err != nil {
		f.Fatal(err)
	}
	site := newSite(f)
	useSource(f, site, "customer.html")
	statuses := []string{"en_route", "delivered", "failed", "cancelled"}
	show := func(t *testing.T, which, status uint8, text, language string) string {
		var snapshot map[string]any
		if err := json.Unmarshal(frame, &snapshot); err != nil {
			t.Fatal(err)
		}
		snapshot["status"] = statuses[int(status)%len(statuses)]
		newest(snapshot)["status"] = snapshot["status"]
		typed[int(which)%len(typed)](snapshot, text)
		raw, err := json.Marshal(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		w := get(func(w http.ResponseWriter, r *http.Request) { site.Customer(w, r, raw) }, "/t/x", "Accept-Language", language)
		if w.Code != http.StatusOK {
			t.Fatalf("%q is answered %d", text, w.Code)
		}
		return w.Body.String()
	}
	for i, text := range []string{
		"Sam", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</script><script>alert(1)</script>`, `<!--<script>`, `]]>`, "\u2028", "{{.}}", "&lt;b&gt;", "\x00", "\xff",
	} {
		for which := range typed {
			f.Add(uint8(which), uint8(i), text, "ar, de;q=0.5")
		}
	}
	f.Fuzz(func(t *testing.T, which, status uint8, text, language string) {
		if strings.TrimSpace(text) == "" {
			return // what is empty is left out
		}
		page, harmless := show(t, which, status, text, language), show(t, which, status, "Sam", "en")
		for _, bracket := range []string{"<", ">"} {
			if got, want := strings.Count(page, bracket), strings.Count(harmless, bracket); got != want {
				t.Fatalf("%q: %d times %s, want %d", text, got, bracket, want)
			}
		}
	})
}
