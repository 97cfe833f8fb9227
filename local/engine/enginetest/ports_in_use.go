package enginetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// portsInUse returns the ports that sockets of this machine are bound to. It asks the
// kernel rather than trying to listen: a child that another goroutine is starting at
// that moment would keep the trial's socket open until its exec.
func portsInUse() (map[int]bool, error) {
	used := make(map[int]bool)
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		content, err := os.ReadFile("/proc/net/" + table)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a machine without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("list ports in use: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			if port, ok := localPort(line); ok {
				used[port] = true
			}
		}
	}
	return used, nil
}

// localPort reads a line of /proc/net/tcp and its like: number, local address, remote
// address, … with addresses as hexadecimal host:port. Lines of another form have none.
func localPort(line string) (int, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return 0, false
	}
	_, hex, found := strings.Cut(fields[1], ":")
	if !found {
		return 0, false
	}
	port, err := strconv.ParseUint(hex, 16, 16)
	return int(port), err == nil
}
