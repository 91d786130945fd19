package private

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	postgresName   = "hotfoot" // of the superuser and of the database
	postgresSocket = ".s.PGSQL.5432"
)

// StartPostgres starts the Postgres of the folder, makes the cluster and the database hotfoot when they are missing, and returns
// when it answers. After a crash that is when it has recovered. ctx bounds the start alone.
func StartPostgres(ctx context.Context, cfg Config) (*Server, error) {
	f, err := openFolder(cfg, "postgres", postgresSocket)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	s := &Server{
		name: "postgres",
		url:  postgresURL(f.sockets, postgresName),
		stop: syscall.SIGINT, // a fast shutdown: sessions are cut, transactions rolled back, a checkpoint written
		kin:  kin{program: "postgres", mark: f.mark},
	}
	bin, err := preparePostgres(ctx, f, s.kin)
	if err != nil {
		f.release()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), append(postgresArguments(f), cfg.Arguments...)...)
	// An immediate shutdown: our death is a crash to Postgres, and recovery is what it does best.
	cmd.SysProcAttr = attributes(f.account, syscall.SIGQUIT)
	if s, err = start(f, cmd, s); err != nil {
		return nil, err
	}
	if err := s.await(ctx, func(ctx context.Context) error { return pingPostgres(ctx, f.sockets) }); err != nil {
		return nil, err
	}
	return s, nil
}

// postgresArguments leaves fsync, synchronous_commit and full_page_writes to the cluster's own configuration, where initdb has
// left them on: a check of them then sees what is true.
func postgresArguments(f *folder) []string {
	return []string{
		"-D", cluster(f),
		"-k", f.sockets,
		"-p", "5432", // names the socket
		"-c", "listen_addresses=",
		"-c", "unix_socket_permissions=0700",
		"-c", "max_connections=200",
		"-c", "shared_buffers=64MB",
		// In the data folder, not in /dev/shm: that is tiny in containers, and would keep what a killed server left.
		"-c", "dynamic_shared_memory_type=mmap",
		"-c", "cluster_name=" + f.mark, // stands in every backend's command line, see kin
	}
}

func cluster(f *folder) string { return filepath.Join(f.data, "data") }

func postgresURL(sockets, database string) string {
	query := url.Values{"host": {sockets}, "port": {"5432"}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", User: url.User(postgresName), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// preparePostgres leaves a cluster that can be started and returns the programs that fit it.
func preparePostgres(ctx context.Context, f *folder, k kin) (bin string, err error) {
	version, err := os.ReadFile(filepath.Join(cluster(f), "PG_VERSION"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if bin, err = postgresBin(strings.TrimSpace(string(version))); err != nil {
		return "", err
	}
	if version == nil {
		return bin, initCluster(ctx, f, bin)
	}
	// We hold the lock, so whoever runs here lost its owner.
	k.end(syscall.SIGTERM, 3*time.Second)
	return bin, removeStalePidFile(cluster(f))
}

// initCluster makes the cluster beside its place and moves it there when it is complete: an init that was cut off is not
// mistaken for a cluster.
func initCluster(ctx context.Context, f *folder, bin string) error {
	f.logger.Info("making a new Postgres cluster", "data", cluster(f))
	fresh := cluster(f) + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", fresh, "-U", postgresName, "-A", "trust", "-E", "UTF8", "--locale=C")
	cmd.Stdout, cmd.Stderr = f.log, f.log
	cmd.Env = environment(f.data)
	cmd.Dir = f.data
	cmd.SysProcAttr = attributes(f.account, syscall.SIGKILL)
	if err := spawn(cmd, func() {}); err != nil {
		return fmt.Errorf("initdb: %w; %s", err, f.lastWords())
	}
	if err := os.Rename(fresh, cluster(f)); err != nil {
		return err
	}
	// Without this a power cut could undo the rename, and the next start would begin anew.
	dir, err := os.Open(f.data)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// removeStalePidFile helps Postgres where it cannot tell: it refuses to start while the process number in its pid file is alive,
// but in a container, or after a reboot, that number may be anybody's. Another Postgres is left for it to judge.
func removeStalePidFile(dir string) error {
	path := filepath.Join(dir, "postmaster.pid")
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(first)
	for other, line := range commandLines() {
		if other == pid && (kin{program: "postgres"}).mayOwn(line) {
			return nil
		}
	}
	return os.Remove(path)
}

// pingPostgres connects to the database, and makes it when Postgres says that there is none.
func pingPostgres(ctx context.Context, sockets string) error {
	err := onPostgres(ctx, postgresURL(sockets, postgresName), "SELECT 1")
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "3D000" {
		return onPostgres(ctx, postgresURL(sockets, "postgres"), "CREATE DATABASE "+postgresName)
	}
	return err
}

func onPostgres(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
