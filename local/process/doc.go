// Package process runs and watches child processes: the engines, the regions and
// the edge that `meridian up` starts on one machine.
//
// A [Spec] says what to run and how to tell that it is ready, a [Process] keeps one
// of them alive, a [Supervisor] keeps many and stops them in reverse order. What a
// killed supervisor left behind is found again by its [Identity] and ended by [Reap].
//
// The package is written for Linux only: it reads /proc and uses process groups,
// parent-death signals and ambient capabilities.
package process
