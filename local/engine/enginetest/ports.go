package enginetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// The ports for tests: above those that services commonly use, and below the ones
// that Linux gives to outgoing connections, which begin at 32768.
const (
	firstPort = 20000
	lastPort  = 31999
)

// Ports returns the first of n consecutive ports on 127.0.0.1 that are free for TCP and
// UDP, and that no other test gets before this one has ended.
func Ports(t testing.TB, n int) int {
	t.Helper()
	first, release, err := reservePorts(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return first
}

// reservePorts finds ports and holds a lock file for each until release. To look for
// free ports is not enough: another test binary may look before they are taken.
func reservePorts(n int) (first int, release func(), err error) {
	folder := filepath.Join(os.TempDir(), "meridian-test-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, nil, fmt.Errorf("folder for port locks: %w", err)
	}
	taken, err := portsInUse()
	if err != nil {
		return 0, nil, err
	}
	span := lastPort - firstPort + 2 - n
	start := rand.IntN(span)
	for offset := range span {
		first := firstPort + (start+offset)%span
		locks, err := lockPorts(folder, first, n, taken)
		if err != nil {
			continue // taken; try the next
		}
		return first, func() {
			for _, lock := range locks {
				// Closing gives the lock back, and the end of the process does too.
				_ = lock.Close()
			}
		}, nil
	}
	return 0, nil, fmt.Errorf("no %d consecutive ports are free between %d and %d", n, firstPort, lastPort)
}

func lockPorts(folder string, first, n int, taken map[int]bool) (locks []*os.File, err error) {
	defer func() {
		if err != nil {
			for _, lock := range locks {
				err = errors.Join(err, lock.Close())
			}
		}
	}()
	for port := first; port < first+n; port++ {
		if taken[port] {
			return locks, fmt.Errorf("port %d is in use", port)
		}
		lock, err := tryLock(filepath.Join(folder, strconv.Itoa(port)))
		if err != nil {
			return locks, err
		}
		locks = append(locks, lock)
	}
	return locks, nil
}
