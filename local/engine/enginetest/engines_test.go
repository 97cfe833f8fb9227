package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/meridian-store/meridian/local/engine/broker"
	"github.com/meridian-store/meridian/local/engine/consul"
	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/redis"
	"github.com/meridian-store/meridian/local/process"
)

func TestEnginesAnswer(t *testing.T) {
	t.Parallel()
	address, password := enginetest.Redis(t)
	if err := redis.Ready(t.Context(), address, password); err != nil {
		t.Error(err)
	}
	if again, _ := enginetest.Redis(t); again != address {
		t.Errorf("a second Redis at %s beside the one at %s", again, address)
	}
	if err := consul.Ready(t.Context(), enginetest.Consul(t)); err != nil {
		t.Error(err)
	}
	if err := broker.Ready(t.Context(), enginetest.Broker(t)[0]); err != nil {
		t.Error(err)
	}
}

func TestPortsAreGivenOnce(t *testing.T) {
	t.Parallel()
	taken := make(map[int]bool)
	for range 20 {
		first := enginetest.Ports(t, 5)
		for port := first; port < first+5; port++ {
			if taken[port] {
				t.Fatalf("port %d was given twice", port)
			}
			taken[port] = true
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				t.Errorf("a port that was said to be free: %v", err)
				continue
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// The rest shows that nothing outlives a killed test binary: this binary runs itself
// to play one, and kills it.
const victimKey = "MERIDIAN_ENGINETEST_VICTIM"

func TestVictim(t *testing.T) {
	up := os.Getenv(victimKey)
	if up == "" {
		t.Skip("runs only as the child of TestNothingOutlivesAKilledTestBinary")
	}
	address, _ := enginetest.Redis(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	_, pgPort, _ := strings.Cut(enginetest.Postgres(t).SuperuserURL(), "127.0.0.1:")
	pgPort, _, _ = strings.Cut(pgPort, "/")
	if err := os.WriteFile(up+".part", []byte(port+" "+pgPort), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(up+".part", up); err != nil {
		t.Fatal(err)
	}
	<-t.Context().Done() // never: it is killed
}

func TestNothingOutlivesAKilledTestBinary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	up := filepath.Join(dir, "up")
	victim, err := process.New(process.Spec{
		Name:    "victim",
		Path:    os.Args[0],
		Args:    []string{"-test.run=^TestVictim$"},
		Env:     []string{victimKey + "=" + up, "MERIDIAN_TEST_SQL_URL=", "MERIDIAN_TEST_REDIS_URL="},
		LogFile: filepath.Join(dir, "victim.log"),
		// Only once: a second start would wait for its end in vain.
		Prepare: func(ctx context.Context) error {
			if _, err := os.Stat(up); err == nil {
				return errors.New("it was killed on purpose")
			}
			return nil
		},
		Ready: func(context.Context) error { _, err := os.Stat(up); return err },
	}, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Stop(t.Context())
	if err := victim.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ports, err := os.ReadFile(up)
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, port := range strings.Fields(string(ports)) {
		deadline := time.NewTimer(time.Minute)
		defer deadline.Stop()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%s", port))
			if err != nil {
				break
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-tick.C:
			case <-deadline.C:
				t.Fatalf("the engine at port %s still runs", port)
			}
		}
	}
}
