package trackfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadFile_recorded reads every recorded track there is and knows how many points the large sets hold.
func TestReadFile_recorded(t *testing.T) {
	t.Parallel()
	root := os.Getenv("HOTFOOT_TESTDATA")
	if root == "" {
		t.Skip("HOTFOOT_TESTDATA is not set: the folder with the recorded tracks")
	}
	traces := filepath.Join(root, "traces")

	t.Run("every GPX file is read or refused for a known reason", func(t *testing.T) {
		t.Parallel()
		files, points, untimed, empty := 0, 0, 0, 0
		walk(t, filepath.Join(traces, "messy", "gpx"), ".gpx", func(path string) {
			files++
			tracks, err := ReadFile(path)
			switch {
			case errors.Is(err, ErrNoTimes):
				untimed++
			case errors.Is(err, ErrNoTracks):
				empty++
			case err != nil:
				t.Error(err)
			}
			for _, track := range tracks {
				points += len(track.Points)
			}
			sound(t, tracks)
		})
		if files != 58 || points < 6000 {
			t.Errorf("%d files with %d points", files, points)
		}
		t.Logf("%d files, %d points; %d without times, %d without tracks", files, points, untimed, empty)
	})
	t.Run("every phone's CSV file", func(t *testing.T) {
		t.Parallel()
		files, points := 0, 0
		walk(t, filepath.Join(traces, "messy", "mobilitynet"), "raw.csv", func(path string) {
			tracks, err := ReadFile(path)
			if err != nil {
				t.Error(err)
				return
			}
			files++
			points += len(tracks[0].Points)
			sound(t, tracks)
		})
		if files == 0 || points < 10*files {
			t.Errorf("%d files with %d points", files, points)
		}
	})
	t.Run("every cab", func(t *testing.T) {
		t.Parallel()
		tracks, err := ReadFile(filepath.Join(traces, "sf-cabs", "points-2008-06-03_05.csv.gz"))
		if err != nil {
			t.Fatal(err)
		}
		points := 0
		for _, track := range tracks {
			points += len(track.Points)
		}
		if len(tracks) != 409 || points != 1_156_549 {
			t.Errorf("%d cabs with %d points", len(tracks), points)
		}
		sound(t, tracks)
	})
}

func walk(t *testing.T, dir, suffix string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, suffix) {
			visit(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
