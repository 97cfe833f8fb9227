package meridian

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// startTimeout bounds a start: some seconds are usual, and the first one on a busy machine makes databases.
	startTimeout = 5 * time.Minute
	// stopTimeout bounds a stop, in which services drain.
	stopTimeout = 2 * time.Minute
	// termGrace is how long the program may take to end after it was interrupted.
	termGrace = 45 * time.Second

	// settleWithin is how long something may be unwell before that is drift: the copy starts a process that died anew by itself.
	settleWithin = 6 * time.Second
	settlePoll   = 250 * time.Millisecond

	// exitNotThere is the program's answer when no copy runs from the home.
	exitNotThere = 3
)

// program is the meridian command for one home.
type program struct{ path, home string }

// in is the same program for the home that a resource was made in.
func (p program) in(home string) program {
	if home != "" {
		p.home = home
	}
	return p
}

// failed is a run that ended with another exit code than 0.
type failed struct {
	verb    string
	code    int
	message string
}

func (f failed) Error() string { return fmt.Sprintf("meridian %s: %s", f.verb, f.message) }

// notThere says whether the reason of an error is that no copy runs.
func notThere(err error) bool {
	var f failed
	return errors.As(err, &f) && f.code == exitNotThere
}

// run runs a verb and hands each line that it prints to the log of Terraform.
func (p program) run(ctx context.Context, timeout time.Duration, args ...string) error {
	reader, writer := io.Pipe()
	logged := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			tflog.Info(ctx, strings.TrimSpace(lines.Text()), map[string]any{"home": p.home})
		}
		logged <- errors.Join(lines.Err(), reader.Close())
	}()
	err := p.start(ctx, timeout, writer, args)
	return errors.Join(err, writer.Close(), <-logged)
}

// ask runs a verb that prints one JSON document and reads it. The program prints it also when its exit code says that not all is well.
func (p program) ask(ctx context.Context, into any, args ...string) error {
	var out bytes.Buffer
	err := p.start(ctx, time.Minute, &out, args)
	var f failed
	if err != nil && (!errors.As(err, &f) || out.Len() == 0) {
		return err
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("meridian %s: read its answer: %w", args[0], err)
	}
	return nil
}

func (p program) start(ctx context.Context, timeout time.Duration, out io.Writer, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var problems bytes.Buffer
	command := exec.CommandContext(ctx, p.path, append([]string{"--home", p.home}, args...)...)
	command.Stdout, command.Stderr = out, &problems
	command.Env = childEnv(os.Environ())
	// An interrupted start stops in order what it has started.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = termGrace
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("meridian %s: given up after %s: %w", args[0], timeout, ctx.Err())
	case errors.As(err, &exit):
		message := strings.TrimPrefix(strings.TrimSpace(problems.String()), "meridian: ")
		return failed{verb: args[0], code: exit.ExitCode(), message: message}
	}
	return fmt.Errorf("meridian %s: %w", args[0], err)
}

// childEnv leaves out what Terraform tells its plugins: the copy outlives them.
func childEnv(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "PLUGIN_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// settled asks again until the answer is good or has been bad for so long that it is drift.
func settled(ctx context.Context, ask func() (good bool, err error)) error {
	until := time.NewTimer(settleWithin)
	defer until.Stop()
	poll := time.NewTicker(settlePoll)
	defer poll.Stop()
	for {
		if good, err := ask(); err != nil || good {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-until.C:
			return nil
		case <-poll.C:
		}
	}
}
