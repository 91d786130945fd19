package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// makeFolder makes a place for data, in a folder or where there is one. In memory, where there is room, a disk that others use does not slow Postgres down; what a kill leaves is in the
// kernel's cache either way.
func makeFolder(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
		var room syscall.Statfs_t
		if syscall.Statfs("/dev/shm", &room) == nil && room.Bavail*uint64(room.Bsize) >= 2<<30 {
			parent = "/dev/shm"
		}
	} else if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, fmt.Sprintf("%s%d-", folderPrefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	// The servers may run as another user, who must be able to get here.
	return dir, os.Chmod(dir, 0o711)
}

const folderPrefix = "chaos-"

// sweep removes the folders of runs that were killed.
func sweep(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
	for _, dir := range dirs {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folderPrefix), "-")
		pid, err := strconv.Atoi(number)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}
