package private

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// postgresGlobs are where packages keep Postgres off the PATH: Debian, Homebrew on Apple silicon and on Intel, PGDG's RPMs.
var postgresGlobs = []string{
	"/usr/lib/postgresql/*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/usr/pgsql-*/bin",
}

// postgresBin finds the folder of initdb and postgres. PGBIN, when set, is the only place looked at; otherwise the newest
// version wins. A cluster that exists can only be opened by its own major version, given as major; "" is any.
func postgresBin(major string) (string, error) {
	places := postgresPlaces()
	found := slices.DeleteFunc(slices.Clone(places), func(dir string) bool { return !holdsPostgres(dir) })
	if len(found) == 0 {
		return "", missing("initdb", cmp.Or(strings.Join(places, ", "), "the usual folders and PATH"))
	}
	if major == "" {
		return found[0], nil
	}
	for _, dir := range found {
		if v, err := postgresMajor(dir); err == nil && v == major {
			return dir, nil
		}
	}
	return "", fmt.Errorf("the data is of Postgres %s, which is not in %s: install postgresql-%[1]s, or choose another folder",
		major, strings.Join(found, ", "))
}

func postgresPlaces() []string {
	if dir := os.Getenv("PGBIN"); dir != "" {
		return []string{dir}
	}
	var places []string
	for _, glob := range postgresGlobs {
		dirs, _ := filepath.Glob(glob)
		slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(pathVersion(b), pathVersion(a)) })
		places = append(places, dirs...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			places = append(places, filepath.Dir(path))
		}
	}
	return places
}

func holdsPostgres(dir string) bool {
	_, initdb := exec.LookPath(filepath.Join(dir, "initdb"))
	_, postgres := exec.LookPath(filepath.Join(dir, "postgres"))
	return errors.Join(initdb, postgres) == nil
}

var number = regexp.MustCompile(`\d+`)

func pathVersion(dir string) int {
	v, _ := strconv.Atoi(number.FindString(dir))
	return v
}

func postgresMajor(dir string) (string, error) {
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	return number.FindString(string(out)), err
}

func redisBin() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", missing("redis-server (or valkey-server)", "PATH")
}

func missing(program, where string) error {
	install := "sudo apt-get install --no-install-recommends postgresql redis-server"
	if runtime.GOOS == "darwin" {
		install = "brew install postgresql@15 redis"
	}
	return fmt.Errorf("%s is not in %s; install it with: %s", program, where, install)
}
