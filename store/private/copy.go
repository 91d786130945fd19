package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// CopyPostgres copies a running Postgres into an empty folder, from which StartPostgres then starts: as it was at the end of the copy, or, as
// a standby, following the original until it is promoted with SELECT pg_promote(). The original must not be stopped meanwhile.
func CopyPostgres(ctx context.Context, original *Server, to Config, standby bool) error {
	if err := copyPostgres(ctx, original, to, standby); err != nil {
		return fmt.Errorf("copy postgres: %w", err)
	}
	return nil
}

func copyPostgres(ctx context.Context, original *Server, to Config, standby bool) error {
	f, err := openFolder(to, "postgres", postgresSocket)
	if err != nil {
		return err
	}
	defer f.release()
	if _, err := os.Stat(cluster(f)); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds a cluster already", to.Dir)
	}
	bin, err := postgresBin("")
	if err != nil {
		return err
	}
	arguments := []string{"-h", original.folder.sockets, "-U", postgresName, "-D", cluster(f), "--checkpoint=fast", "--wal-method=stream"}
	if standby {
		arguments = append(arguments, "--write-recovery-conf")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "pg_basebackup"), arguments...)
	cmd.Stdout, cmd.Stderr = f.log, f.log
	cmd.Env = environment(f.data)
	cmd.Dir = f.data
	cmd.SysProcAttr = attributes(f.account, syscall.SIGKILL)
	if err := spawn(cmd, func() {}); err != nil {
		return fmt.Errorf("pg_basebackup: %w; %s", err, f.lastWords())
	}
	return nil
}
