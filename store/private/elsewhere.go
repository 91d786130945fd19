package private

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// elsewhere holds the data of folders that root's servers cannot reach, such as those below /root. Only root can write there,
// so nobody can have put a trap at the names we choose.
//
//	Dir/postgres                                  a link to the data
//	elsewhere/hotfoot-postgres-0123456789ab/      the data
//	elsewhere/hotfoot-postgres-0123456789ab.for   a link back to Dir/postgres
const elsewhere = "/var/lib/hotfoot"

// placeElsewhere makes the data folder and both links. The link back comes last: whoever sees it may conclude from a missing
// Dir/postgres that it was deleted.
func (f *folder) placeElsewhere() error {
	link := f.data
	f.data = filepath.Join(elsewhere, f.mark)
	f.logger.Info("private server keeps its data elsewhere", "data", f.data, "link", link,
		"reason", fmt.Sprintf("user %s, who runs it for root, cannot reach the folder", f.account.name))
	clearElsewhere(os.TempDir())
	// What lies there is of a folder that was deleted.
	if err := errors.Join(os.RemoveAll(f.data), os.RemoveAll(f.data+".for")); err != nil {
		return err
	}
	if err := os.MkdirAll(elsewhere, 0o711); err != nil {
		return err
	}
	if err := os.Symlink(f.data, link); err != nil {
		return err
	}
	if err := os.Mkdir(f.data, 0o700); err != nil {
		return err
	}
	return os.Symlink(link, f.data+".for")
}

// clearElsewhere removes what belonged to deleted folders below temp, as tests leave it. The data of any other folder that is
// gone is kept: its disk may only be away.
func clearElsewhere(temp string) {
	temp, err := filepath.EvalSymlinks(temp)
	if err != nil {
		return
	}
	backs, _ := filepath.Glob(filepath.Join(elsewhere, "*.for"))
	for _, back := range backs {
		link, err := os.Readlink(back)
		if err != nil || !strings.HasPrefix(link, temp+"/") {
			continue
		}
		data := strings.TrimSuffix(back, ".for")
		if _, err := os.Lstat(link); errors.Is(err, os.ErrNotExist) && !inUse(data) {
			_ = os.RemoveAll(data)
			_ = os.Remove(back)
		}
	}
}

func inUse(data string) bool {
	for _, line := range commandLines() {
		if strings.Contains(line, data) {
			return true
		}
	}
	return false
}
