package hotfoot

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTest = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	namedFile = regexp.MustCompile("`([a-z/]+/[a-z]+(?:\\.[a-z]+)?\\.(?:go|lua|ts))`")
)

// The list of threats names every one of them, and no test and no file that does not exist.
func TestSecurity(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	tests := namedTest.FindAllStringSubmatch(page, -1)
	if len(tests) < 24 {
		t.Fatalf("%d tests are named: the page is no longer written as this test reads it", len(tests))
	}
	for _, named := range tests {
		if !declares(t, named[1], named[2]) {
			t.Errorf("%s has no %s", named[1], named[2])
		}
	}
	for _, named := range namedFile.FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat(named[1]); err != nil {
			t.Error(err)
		}
	}
	for i := 1; i <= 24; i++ {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| T%d \|.*$`, i)).FindString(page)
		cells := strings.Split(row, "|")
		if len(cells) != 6 {
			t.Errorf("T%d is not a row of four: %q", i, row)
			continue
		}
		if shown := cells[4]; !namedTest.MatchString(shown) && !namedFile.MatchString(shown) && !strings.Contains(shown, "open") {
			t.Errorf("T%d has neither a test nor an \"open\": %q", i, shown)
		}
	}
}

// declares reports whether a test file of a folder holds this function.
func declares(t *testing.T, folder, function string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "\nfunc "+function+"(") {
			return true
		}
	}
	return false
}
