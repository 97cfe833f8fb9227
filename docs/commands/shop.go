package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	firstBase, lastBase = 21080, 31080
	// portsPerShop are below the next shop's base port: docs/operating.md, "Start, look, stop".
	portsPerShop = 100
	exitNotThere = 3 // of `meridian status` when nothing runs
)

// freeBase returns a base port above which a hundred ports are free.
func freeBase(ctx context.Context) (int, error) {
	for base := firstBase; base < lastBase; base += 2 * portsPerShop {
		if allFree(ctx, base) {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row between %d and %d", portsPerShop, firstBase, lastBase)
}

func allFree(ctx context.Context, base int) bool {
	var config net.ListenConfig
	for port := base; port < base+portsPerShop; port++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		if listener.Close() != nil {
			return false
		}
	}
	return true
}

// interrupted runs a script that stays in the foreground until the shop is ready, interrupts it as Ctrl-C does, and
// checks that nothing is left running.
func (r *runner) interrupted(ctx context.Context, script string, _ execution) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	c := r.command(ctx, script)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &output
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Wait()
		close(ended)
	}()
	for !r.statusIs(ctx, 0) {
		select {
		case err := <-ended:
			return fmt.Errorf("ended before the shop was ready: %w\n%s", err, output.String())
		case <-time.After(retryDelay):
		}
	}
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		return err
	}
	for range ended { //nolint:revive // make's exit code after an interrupt is not the shop's
	}
	if !r.statusIs(ctx, exitNotThere) {
		return fmt.Errorf("something still runs after Ctrl-C\n%s", output.String())
	}
	return nil
}

// statusIs reports whether `meridian status` ends with the exit code.
func (r *runner) statusIs(ctx context.Context, code int) bool {
	err := r.command(ctx, "meridian status").Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode() == code
	}
	return err == nil && code == 0
}
