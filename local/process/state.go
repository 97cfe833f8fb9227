package process

import (
	"syscall"
	"time"
)

// State is what is known of one process at one moment.
type State struct {
	Name string `json:"name"`
	// PID is 0 while no child runs.
	PID int `json:"pid"`
	// StartTicks is when the kernel started the child, in clock ticks since boot.
	StartTicks uint64 `json:"start_ticks,omitempty"`
	// Ready is the last answer of the spec's readiness check.
	Ready bool `json:"ready"`
	// Restarts counts the starts after the first.
	Restarts int `json:"restarts"`
	// Started is when the running child was started.
	Started time.Time `json:"started,omitzero"`
	// LastError is the latest reason for not being ready; it stays after recovery.
	LastError string `json:"last_error,omitempty"`
	// StopSignal is what asks this child to end.
	StopSignal syscall.Signal `json:"stop_signal,omitempty"`
}

// Identity names the running child for a later [Reap]. It is the zero Identity
// while no child runs.
func (s State) Identity() Identity {
	if s.PID == 0 {
		return Identity{}
	}
	return Identity{Name: s.Name, PID: s.PID, StartTicks: s.StartTicks, StopSignal: s.StopSignal}
}
