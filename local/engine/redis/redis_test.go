package redis_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/meridian-store/meridian/local/engine/enginetest"
	"github.com/meridian-store/meridian/local/engine/redis"
	"github.com/meridian-store/meridian/local/process"
)

func TestMain(m *testing.M) {
	enginetest.Main(m, func() error { return goleak.Find() })
}

func connect(t *testing.T, address, password string) rueidis.Client {
	t.Helper()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not so within a minute: %s", what)
		}
	}
}

func TestAcknowledgedWritesOutliveAKilledServer(t *testing.T) {
	t.Parallel()
	config := redis.Config{
		Name:          "us-east/redis",
		DataDir:       filepath.Join(t.TempDir(), `with space and "quote"`),
		Port:          enginetest.Ports(t, 1),
		Password:      `a\b"c'd#e`,
		DieWithParent: true,
	}
	config.LogFile = filepath.Join(config.DataDir, "redis.log")
	spec, err := redis.Spec(config)
	if err != nil {
		t.Fatal(err)
	}
	server, err := process.New(spec, process.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop(context.Background())
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := connect(t, config.Address(), config.Password)
	if err := client.Do(t.Context(), client.B().Set().Key("cart").Value("two shirts").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := server.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is back", func() bool { s := server.State(); return s.Ready && s.Restarts == 1 })

	again := connect(t, config.Address(), config.Password)
	got, err := again.Do(t.Context(), again.B().Get().Key("cart").Build()).ToString()
	if err != nil || got != "two shirts" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := redis.Ready(t.Context(), config.Address(), "wrong"); err == nil {
		t.Error("a wrong password was accepted")
	}
	arguments, err := os.ReadFile("/proc/" + strconv.Itoa(server.State().PID) + "/cmdline")
	if err != nil || strings.Contains(string(arguments), config.Password) {
		t.Errorf("command line %q, %v: it must not hold the password", arguments, err)
	}
	info, err := os.Stat(filepath.Join(config.DataDir, "redis.conf"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("settings file: %v, %v, want one for its owner alone", info, err)
	}
}

func TestOddPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"", "two words", "line\nbreak", "zoë"} {
		_, err := redis.Spec(redis.Config{Name: "redis", DataDir: t.TempDir(), Port: 1, Password: password})
		if err == nil {
			t.Errorf("accepted %q", password)
		} else if password != "" && strings.Contains(err.Error(), password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
