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

// showcase shows the customer's page of a frame in which one text is replaced.
type showcase struct {
	site  *Site
	frame []byte
}

func newShowcase(t testing.TB) showcase {
	t.Helper()
	frame, err := os.ReadFile("test/frames/snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(t)
	useSource(t, site, "customer.html")
	return showcase{site, frame}
}

func (s showcase) page(t testing.TB, which, status uint8, text, language string) string {
	t.Helper()
	var snapshot map[string]any
	if err := json.Unmarshal(s.frame, &snapshot); err != nil {
		t.Fatal(err)
	}
	snapshot["status"] = []string{"en_route", "delivered", "failed", "cancelled"}[status%4]
	newest(snapshot)["status"] = snapshot["status"]
	typed[int(which)%len(typed)](snapshot, text)
	raw, err := json.Marshal(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	w := get(func(w http.ResponseWriter, r *http.Request) { s.site.Customer(w, r, raw) }, "/t/x", "Accept-Language", language)
	if w.Code != http.StatusOK {
		t.Fatalf("%q is answered %d", text, w.Code)
	}
	return w.Body.String()
}

// escapes fails unless the page has the tags that it has with a harmless text.
func (s showcase) escapes(t testing.TB, which, status uint8, text, language string) {
	t.Helper()
	if strings.TrimSpace(text) == "" {
		return // what is empty is left out
	}
	page, harmless := s.page(t, which, status, text, language), s.page(t, which, status, "Sam", "en")
	for _, bracket := range []string{"<", ">"} {
		if got, want := strings.Count(page, bracket), strings.Count(harmless, bracket); got != want {
			t.Fatalf("%q: %d times %s, want %d", text, got, bracket, want)
		}
	}
}

// Two hundred texts that would be scripts, in every text of the page.
func TestSite_Customer_payloads(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("test/payloads.json")
	if err != nil {
		t.Fatal(err)
	}
	var payloads struct{ Script []string }
	if err := json.Unmarshal(content, &payloads); err != nil || len(payloads.Script) < 200 {
		t.Fatalf("%d payloads, %v", len(payloads.Script), err)
	}
	s := newShowcase(t)
	for i, text := range payloads.Script {
		for which := range typed {
			s.escapes(t, uint8(which), uint8(i), text, "en")
		}
	}
}

// A text is a text on the customer's page, whatever it says and whatever language is asked for.
func FuzzSite_Customer(f *testing.F) {
	s := newShowcase(f)
	for i, text := range []string{
		"Sam", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</script><script>alert(1)</script>`, `<!--<script>`, `]]>`, "\u2028", "{{.}}", "&lt;b&gt;", "\x00", "\xff",
	} {
		for which := range typed {
			f.Add(uint8(which), uint8(i), text, "ar, de;q=0.5")
		}
	}
	f.Fuzz(func(t *testing.T, which, status uint8, text, language string) {
		s.escapes(t, which, status, text, language)
	})
}
