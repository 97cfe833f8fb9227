package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/meridian-store/meridian/local/engine"
	"github.com/meridian-store/meridian/local/process"
)

// cluster is what PostgreSQL calls the data folder and its server.
type cluster struct {
	config  Config
	program engine.Program
	account account
}

// prepare makes the data folder when there is none and sees to it that nothing else
// works in it. It runs before every start of the server.
func (c cluster) prepare(ctx context.Context) error {
	made, err := c.exists()
	if err != nil {
		return err
	}
	if !made {
		return c.initialize(ctx)
	}
	info, err := os.Stat(c.config.DataDir)
	if err != nil {
		return fmt.Errorf("postgres data folder: %w", err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && c.account.credential != nil && stat.Uid != c.account.credential.Uid {
		// Root's: restored from a backup, say. PostgreSQL insists on its own.
		if err := c.account.own(c.config.DataDir); err != nil {
			return err
		}
	}
	return vacate(ctx, c.config.DataDir)
}

// ErrNoCluster is returned when the data folder holds anything but a PostgreSQL cluster.
var ErrNoCluster = errors.New("postgres data folder holds something else than a PostgreSQL cluster")

func (c cluster) exists() (bool, error) {
	_, err := os.Stat(filepath.Join(c.config.DataDir, "PG_VERSION"))
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("postgres data folder: %w", err)
	}
	// Only an empty folder may be replaced by a new cluster; Remove refuses any other.
	if err := os.Remove(c.config.DataDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: %w", ErrNoCluster, err)
	}
	return false, nil
}

// initialize makes the data folder aside and moves it into place, so that one whose
// making was interrupted is never taken for a whole one.
func (c cluster) initialize(ctx context.Context) (err error) {
	parent := filepath.Dir(c.config.DataDir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("postgres data folder: %w", err)
	}
	making := c.config.DataDir + ".making"
	if err := os.RemoveAll(making); err != nil {
		return fmt.Errorf("clear away an unfinished data folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(making)) }()
	data, password := filepath.Join(making, "data"), filepath.Join(making, "password")
	err = errors.Join(
		os.MkdirAll(data, 0o700),
		// A file, because other users can read a command line.
		os.WriteFile(password, []byte(c.config.Password+"\n"), 0o600),
		c.account.own(making),
	)
	if err != nil {
		return fmt.Errorf("postgres data folder: %w", err)
	}
	if err := c.initdb(ctx, data, password); err != nil {
		return err
	}
	if err := os.Rename(data, c.config.DataDir); err != nil {
		return fmt.Errorf("postgres data folder: %w", err)
	}
	if c.config.Volatile {
		return nil
	}
	return syncFolder(parent)
}

func (c cluster) initdb(ctx context.Context, data, password string) error {
	real, err := filepath.EvalSymlinks(c.program.Path)
	if err != nil {
		return fmt.Errorf("find initdb: %w", err)
	}
	args := []string{
		"--pgdata", data, "--username", Superuser, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--data-checksums",
	}
	if c.config.Volatile {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(real), "initdb"), args...) //nolint:gosec // beside the server that engine.Find found
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), c.program.Env...)
	// In a group of its own, so that what it starts is killed with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:     true,
		Credential:  c.account.credential,
		AmbientCaps: c.account.capabilities,
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := process.StartCommand(cmd); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("make a PostgreSQL cluster: %w: %s", err, strings.TrimSpace(output.String()))
	}
	return nil
}

func syncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // our own data folder
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
