package process

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Defaults for what a [Spec] leaves at zero.
const (
	DefaultStopTimeout  = 10 * time.Second
	DefaultReadyTimeout = 60 * time.Second
)

// Spec says what to run and how it is known to be ready. Name and Path are required.
type Spec struct {
	// Name is unique within a supervisor, such as "us-east/redis". It may not hold '|'.
	Name string
	// Path is the program's absolute path, Args what follows it on the command line.
	Path string
	Args []string
	// Env is added to the environment of the calling process; a later value wins.
	Env []string
	// Dir is the working directory; empty means that of the calling process.
	Dir string
	// LogFile collects stdout and stderr. Its folder is created. Empty discards them.
	LogFile string

	// StopSignal asks for an orderly end; zero means SIGTERM.
	StopSignal syscall.Signal
	// StopTimeout is how long the child may take for that before SIGKILL.
	StopTimeout time.Duration

	// Credential and AmbientCaps, when set, are what the child runs as and with.
	Credential  *syscall.Credential
	AmbientCaps []uintptr
	// DieWithParent has the kernel kill the child when the calling process ends in
	// whatever way. Tests want that; the launcher reaps instead, by [Identity].
	DieWithParent bool

	// Prepare runs before each start of the child, restarts included. It must be
	// quick when there is nothing to do.
	Prepare func(context.Context) error
	// Ready returns nil when the child serves. It is called every 25 ms until it does
	// and every second from then on. Nil means ready as soon as the child runs.
	Ready func(context.Context) error
	// ReadyTimeout bounds Prepare and the wait for Ready at every start.
	ReadyTimeout time.Duration
	// RestartUnready restarts a child that lives but has not been ready for so long.
	// Zero means never: a hung engine is a fact to show, not to hide.
	RestartUnready time.Duration
}

// withDefaults returns the spec with zero values filled in.
func (s Spec) withDefaults() Spec {
	if s.StopSignal == 0 {
		s.StopSignal = syscall.SIGTERM
	}
	if s.StopTimeout <= 0 {
		s.StopTimeout = DefaultStopTimeout
	}
	if s.ReadyTimeout <= 0 {
		s.ReadyTimeout = DefaultReadyTimeout
	}
	return s
}

// Validate reports every rule that the spec breaks.
func (s Spec) Validate() error {
	var broken []error
	if s.Name == "" {
		broken = append(broken, errors.New("name is empty"))
	}
	if strings.ContainsAny(s.Name, "|\x00\n") {
		broken = append(broken, fmt.Errorf("name %q holds a character that marks process identities", s.Name))
	}
	if !filepath.IsAbs(s.Path) {
		broken = append(broken, fmt.Errorf("path %q is not absolute", s.Path))
	}
	if err := errors.Join(broken...); err != nil {
		return fmt.Errorf("process spec %q: %w", s.Name, err)
	}
	return nil
}
