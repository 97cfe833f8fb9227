package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/meridian-store/meridian/local/process"
)

// The tests run their own binary as the child; this variable says what it should do.
const roleKey = "MERIDIAN_PROCESS_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleKey); role != "" {
		os.Exit(playRole(role, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// playRole is the child: args[0] is the file that says "I am up", holding its pid.
func playRole(role string, args []string) int {
	fmt.Println("hello from", role)
	switch role {
	case "fail":
		fmt.Println("the disk is made of cheese")
		return 3
	case "orderly":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		announce(args[0])
		<-stop
		if len(args) > 1 {
			appendLine(args[1], args[2])
		}
		return 0
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		announce(args[0])
		waitForever()
	case "parent":
		// Leaves a stubborn child in its group and waits for the end.
		child := exec.Command(os.Args[0], args[1])
		child.Env = append(os.Environ(), roleKey+"=stubborn")
		if err := child.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		announce(args[0])
		if err := child.Wait(); err != nil {
			fmt.Println(err)
		}
		return 0
	case "launcher":
		// Starts one child that should die with it, and waits to be killed.
		spec := orderly("grandchild", args[1])
		spec.DieWithParent = true
		p, err := process.New(spec, process.Config{})
		if err == nil {
			err = p.Start(context.Background())
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		announce(args[0])
		waitForever()
	}
	return 2
}

func waitForever() {
	for {
		// It returns, with EINTR, whenever a handled signal came; then wait again.
		_ = unix.Pause()
	}
}

func announce(file string) {
	// Written aside and renamed, so that nobody reads half a pid.
	part := file + ".part"
	if err := errors.Join(os.WriteFile(part, []byte(strconv.Itoa(os.Getpid())), 0o600), os.Rename(part, file)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func appendLine(file, line string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// child returns the spec of a child that plays the role and is ready once it has
// announced itself in the file.
func child(role, name, upFile string, args ...string) process.Spec {
	return process.Spec{
		Name: name,
		Path: os.Args[0],
		Args: append([]string{upFile}, args...),
		Env:  []string{roleKey + "=" + role},
		Prepare: func(context.Context) error {
			if err := os.Remove(upFile); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		},
		Ready: func(context.Context) error {
			_, err := os.Stat(upFile)
			return err
		},
	}
}

func orderly(name, upFile string, args ...string) process.Spec {
	return child("orderly", name, upFile, args...)
}

func upFile(t *testing.T) string { return filepath.Join(t.TempDir(), "up") }

func readPID(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// eventually polls until the condition holds.
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

func start(t *testing.T, spec process.Spec, config process.Config) *process.Process {
	t.Helper()
	p, err := process.New(spec, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func identify(t *testing.T, pid int) process.Identity {
	t.Helper()
	id, err := process.Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
