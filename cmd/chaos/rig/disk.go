package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// PostgresConfig is what a row may want of its Postgres.
type PostgresConfig struct {
	Arguments []string // more of them on its command line
	Disk      int      // megabytes of a file system of its own, in memory, which needs root; 0 for none
}

// mount puts the file system where the server's folder will be.
func (c PostgresConfig) mount(ctx context.Context, dir string) error {
	if c.Disk == 0 {
		return nil
	}
	place := filepath.Join(dir, "postgres")
	if err := os.Mkdir(place, 0o711); err != nil {
		return err
	}
	return command(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", c.Disk), "tmpfs", place)
}

// unmount takes it away again, with all that is on it. That none is there is no error.
func (c PostgresConfig) unmount(dir string) error {
	place := filepath.Join(dir, "postgres")
	if _, err := os.Stat(place); c.Disk == 0 || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	// The row may have been stopped, and its context with it.
	return command(context.Background(), "umount", place)
}

func command(ctx context.Context, name string, args ...string) error {
	if said, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}

// filler is in the way of everything that is to be stored beside it.
func (p *Postgres) filler() string { return filepath.Join(p.dir, "postgres", "filler") }

// FillDisk leaves no room on the server's file system. It must have one of its own.
func (p *Postgres) FillDisk() {
	file, err := os.Create(p.filler())
	if err == nil {
		chunk := make([]byte, 64<<10)
		for err == nil {
			_, err = file.Write(chunk)
		}
		if errors.Is(err, syscall.ENOSPC) {
			err = nil
		}
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		p.fail(fmt.Errorf("fill the disk: %w", err))
	}
}

// FreeDisk makes room again.
func (p *Postgres) FreeDisk() {
	if err := os.Remove(p.filler()); err != nil {
		p.fail(fmt.Errorf("free the disk: %w", err))
	}
}
