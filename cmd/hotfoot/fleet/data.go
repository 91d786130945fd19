package fleet

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"strconv"
	"strings"
)

//go:generate go run ./internal/cutcity data

//go:embed data
var data embed.FS

// rows calls row with the tab-separated fields of each line of an embedded table, and names the line of an error.
func rows(name string, fields int, row func([]string) error) error {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return err
	}
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if raw, err = io.ReadAll(z); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	number := 0
	for line := range strings.Lines(string(raw)) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != fields {
			return fmt.Errorf("%s:%d: %d fields, want %d", name, number, len(cells), fields)
		}
		if err := row(cells); err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	return nil
}

// floats reads decimal numbers.
func floats(cells []string) ([]float64, error) {
	out := make([]float64, len(cells))
	for i, c := range cells {
		v, err := strconv.ParseFloat(c, 64)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
