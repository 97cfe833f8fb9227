// Package enginetest gives tests real engines: PostgreSQL, Redis and Consul as child
// processes, one of each for a test binary, started when a test first asks for it, and
// a broker in memory for each test.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
// Without that the engines still die with the test binary, but in no good order.
//
// An engine that is already running is used instead when its address is set:
// MERIDIAN_TEST_SQL_URL (of a superuser), MERIDIAN_TEST_REDIS_URL
// (redis://:password@host:port), MERIDIAN_TEST_CONSUL (host:port) and
// MERIDIAN_TEST_KAFKA (host:port, separated by commas). Several test binaries then
// share it, so tests name their topics, services and keys apart in any case.
//
// An engine that cannot be found fails the test: it is never skipped.
package enginetest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/meridian-store/meridian/local/process"
)

// The servers belong to the test binary and not to a test, so this is the one place
// with state of a package: nothing else lives as long as they must.
var binary servers

type servers struct {
	mu     sync.Mutex
	folder string // of their data; "" until the first is started
	stops  []func()
}

// Main runs the package's tests, then stops the engines, then makes the checks, and
// ends the test binary. A check that fails (goleak.Find, say) fails the binary.
func Main(m *testing.M, checks ...func() error) {
	runSearch()
	code := m.Run()
	binary.stop()
	for _, check := range checks {
		if err := check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// start runs a server until stop. Its spec is made from the folder that all servers of
// the binary share and the first of its ports.
func (s *servers) start(ports int, makeSpec func(folder string, port int) (process.Spec, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folder == "" {
		folder, remove, err := makeFolder(os.TempDir())
		if err != nil {
			return err
		}
		s.folder = folder
		s.stops = append(s.stops, remove)
	}
	port, release, err := reservePorts(ports)
	if err != nil {
		return err
	}
	s.stops = append(s.stops, release)
	spec, err := makeSpec(s.folder, port)
	if err != nil {
		return err
	}
	server, err := process.New(spec, process.Config{Home: s.folder})
	if err != nil {
		return err
	}
	if err := server.Start(context.Background()); err != nil {
		return err
	}
	s.stops = append(s.stops, func() { server.Stop(context.Background()) })
	return nil
}

func (s *servers) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stop := range slices.Backward(s.stops) {
		stop()
	}
	s.stops, s.folder = nil, ""
}
