package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestRun_reproduces_the_committed_data compares what is inside: how tightly gzip packs may change with the Go version.
func TestRun_reproduces_the_committed_data(t *testing.T) {
	t.Parallel()
	root := os.Getenv("HOTFOOT_TESTDATA")
	if root == "" {
		t.Skip("HOTFOOT_TESTDATA is not set: the folder with the public data sets")
	}
	dir := t.TempDir()
	if err := run(root, dir); err != nil {
		t.Fatal(err)
	}
	for _, out := range outputs {
		made, committed := content(t, filepath.Join(dir, out.name)), content(t, filepath.Join("..", "..", "data", out.name))
		if !bytes.Equal(made, committed) {
			t.Errorf("%s differs from what the data sets give: run go generate", out.name)
		}
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) != ".gz" {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}
