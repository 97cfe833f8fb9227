package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	vacatePoll = 10 * time.Millisecond
	// Idle backends end at once when their server has died; busy ones only at the end
	// of their query, and a new server cannot start before.
	orphanGrace = time.Second
)

// vacate waits until no process works in the data folder. After the server was killed
// its backends may be left; they are killed once they have had time to end by
// themselves. That loses nothing: what they had not committed is rolled back anyhow.
func vacate(ctx context.Context, dataDir string) error {
	poll := time.NewTicker(vacatePoll)
	defer poll.Stop()
	killAt := time.Now().Add(orphanGrace)
	for {
		pids, err := processesIn(dataDir)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			return removeStalePIDFile(dataDir)
		}
		server, serving := serverPID(dataDir)
		serving = serving && slices.Contains(pids, server)
		if !serving && time.Now().After(killAt) {
			for _, pid := range pids {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
					return fmt.Errorf("end process %d, which a dead PostgreSQL server left behind: %w", pid, err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres data folder %s is in use by processes %v: %w", dataDir, pids, ctx.Err())
		case <-poll.C:
		}
	}
}

// removeStalePIDFile is for the day after: PostgreSQL does not start while the pid in
// its file is in use, by whatever process, and in a restarted container it soon is.
func removeStalePIDFile(dataDir string) error {
	if err := os.Remove(filepath.Join(dataDir, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a dead PostgreSQL server's pid file: %w", err)
	}
	return nil
}

// processesIn returns the processes whose working folder is the given one, which holds
// for all of a PostgreSQL server's.
func processesIn(folder string) ([]int, error) {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("resolve %s: %w", folder, err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, link := range links {
		// It fails for processes that have ended and for those of other users.
		if target, err := os.Readlink(link); err != nil || target != real {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// serverPID returns the server that last wrote its pid file, alive or not.
func serverPID(dataDir string) (int, bool) {
	data, err := os.ReadFile(filepath.Join(dataDir, "postmaster.pid")) //nolint:gosec // our own data folder
	if err != nil {
		return 0, false
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	return pid, err == nil
}
