package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// environKey marks a child as ours: its value is <home>|<name>.
const environKey = "MERIDIAN_PROCESS"

// Identity names one process beyond its life: a pid is used again by the kernel, but
// never with the same start time. It is safe to keep as JSON.
type Identity struct {
	Name string `json:"name,omitempty"`
	PID  int    `json:"pid"`
	// StartTicks is field 22 of /proc/<pid>/stat, in clock ticks since boot.
	StartTicks uint64 `json:"start_ticks"`
	// StopSignal asks the process to end; zero means SIGTERM.
	StopSignal syscall.Signal `json:"stop_signal,omitempty"`
}

// Identify returns the identity of a running process. The error is
// [os.ErrProcessDone] when there is no such process.
func Identify(pid int) (Identity, error) {
	stat, err := readStat(pid)
	if err != nil {
		return Identity{}, err
	}
	return Identity{PID: pid, StartTicks: stat.startTicks}, nil
}

// Alive reports whether the very process that was identified still runs. One that has
// ended and merely waits for its parent to collect it does not.
func (id Identity) Alive() bool {
	stat, err := readStat(id.PID)
	return err == nil && stat.startTicks == id.StartTicks && !stat.ended
}

// Find returns every running process that carries the mark of this home, whoever
// started it. It sees only processes whose environment the caller may read.
func Find(home string) ([]Identity, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	prefix := []byte(environKey + "=" + home + "|")
	var found []Identity
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue // ended meanwhile, or another user's
		}
		for variable := range bytes.SplitSeq(environ, []byte{0}) {
			name, ours := bytes.CutPrefix(variable, prefix)
			if !ours {
				continue
			}
			if id, err := Identify(pid); err == nil {
				id.Name = string(name)
				found = append(found, id)
			}
			break
		}
	}
	return found, nil
}

type procStat struct {
	startTicks uint64
	ended      bool
}

// readStat reads the fields of /proc/<pid>/stat that we need. The second field, the
// command, may itself hold spaces and brackets, so that counting starts at the last
// closing bracket.
func readStat(pid int) (procStat, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return procStat{}, fmt.Errorf("process %d: %w", pid, os.ErrProcessDone)
	}
	if err != nil {
		return procStat{}, fmt.Errorf("process %d: %w", pid, err)
	}
	return parseStat(string(data))
}

func parseStat(line string) (procStat, error) {
	const (
		stateField = 0 // counted from the one after the command
		startField = 19
	)
	end := strings.LastIndexByte(line, ')')
	fields := strings.Fields(line[end+1:])
	if end < 0 || len(fields) <= startField {
		return procStat{}, fmt.Errorf("unexpected process status %q", line)
	}
	ticks, err := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return procStat{}, fmt.Errorf("start time in process status: %w", err)
	}
	return procStat{startTicks: ticks, ended: fields[stateField] == "Z" || fields[stateField] == "X"}, nil
}
