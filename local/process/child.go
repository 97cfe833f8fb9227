package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is one run of a spec's program, in a process group of its own.
type child struct {
	identity Identity
	started  time.Time
	logFrom  int64
	// ended is closed when the child has ended and its group is gone; exit is set then.
	ended chan struct{}
	exit  error

	mu     sync.Mutex
	reaped bool // from then on the pid may be another's
}

// startChild starts the spec's program. With DieWithParent the calling goroutine must
// stay locked to its thread for as long as the child should live.
func startChild(spec Spec, mark string) (*child, error) {
	cmd := exec.Command(spec.Path, spec.Args...) //nolint:gosec,noctx // what the spec says, until stop
	cmd.Dir = spec.Dir
	cmd.Env = append(append(os.Environ(), spec.Env...), mark)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:     true,
		Credential:  spec.Credential,
		AmbientCaps: spec.AmbientCaps,
	}
	if spec.DieWithParent {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}

	var logFrom int64
	if spec.LogFile != "" {
		log, offset, err := openLog(spec.LogFile)
		if err != nil {
			return nil, err
		}
		defer log.Close() //nolint:errcheck // the child has its own descriptor; nothing was written here
		logFrom = offset
		cmd.Stdout, cmd.Stderr = log, log
	}
	if err := StartCommand(cmd); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}

	c := &child{started: time.Now(), logFrom: logFrom, ended: make(chan struct{})}
	// The child is not collected before wait, so that its /proc entry is there.
	identity, err := Identify(cmd.Process.Pid)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	identity.Name, identity.StopSignal = spec.Name, spec.StopSignal
	c.identity = identity
	go c.wait(cmd)
	return c, nil
}

// wait collects the child. Before it does, while the pid still is the child's, it kills
// what the child left behind in its group.
func (c *child) wait(cmd *exec.Cmd) {
	defer close(c.ended)
	for {
		err := unix.Waitid(unix.P_PID, c.identity.PID, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Fails with ESRCH in the ordinary case that nothing is left.
	_ = syscall.Kill(-c.identity.PID, syscall.SIGKILL)
	c.exit = cmd.Wait()
	c.reaped = true
}

// signal reaches the child's whole group; it does nothing once the child has ended.
func (c *child) signal(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		// The group exists until its leader is collected, so this cannot miss.
		_ = syscall.Kill(-c.identity.PID, sig)
	}
}

// stop asks the child to end and kills it when it takes longer than the spec allows or
// when hurry is closed. It returns once the child is gone.
func (c *child) stop(spec Spec, hurry <-chan struct{}) {
	c.signal(spec.StopSignal)
	timeout := time.NewTimer(spec.StopTimeout)
	defer timeout.Stop()
	select {
	case <-c.ended:
		return
	case <-timeout.C:
	case <-hurry:
	}
	c.signal(syscall.SIGKILL)
	<-c.ended
}

// why says how the child ended; call it after ended is closed.
func (c *child) why() error {
	if c.exit == nil {
		return errors.New("ended with exit status 0")
	}
	return fmt.Errorf("ended: %w", c.exit)
}
