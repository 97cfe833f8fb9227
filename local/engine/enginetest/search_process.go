package enginetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/meridian-store/meridian/local/engine/search"
)

const (
	envSearchFolder  = "MERIDIAN_TEST_SEARCH_FOLDER"
	envSearchAddress = "MERIDIAN_TEST_SEARCH_ADDRESS"
	envSearchKey     = "MERIDIAN_TEST_SEARCH_KEY"
	// searchStart is how long its start may take.
	searchStart = 30 * time.Second
	searchPoll  = 5 * time.Millisecond
)

// SearchProcess is a search engine that a test kills: a process of its own, for which [Main] runs the test binary a second time. Unlike
// other helpers it may be used by any goroutine of a test, by one at a time.
type SearchProcess struct {
	Address, Folder, Key string

	command *exec.Cmd
}

// URL is where it serves.
func (e *SearchProcess) URL() string { return "http://" + e.Address }

// Start returns once it serves.
func (e *SearchProcess) Start() error {
	e.command = exec.Command(os.Args[0], "-test.run=^$")
	e.command.Env = append(os.Environ(), envSearchFolder+"="+e.Folder, envSearchAddress+"="+e.Address, envSearchKey+"="+e.Key)
	e.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := e.command.Start(); err != nil {
		return fmt.Errorf("start a search engine: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), searchStart)
	defer cancel()
	poll := time.NewTicker(searchPoll)
	defer poll.Stop()
	for {
		err := search.Ready(ctx, e.URL())
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the search engine does not serve within %s: %w", searchStart, err)
		case <-poll.C:
		}
	}
}

// Kill ends it as a crash does; killing twice is fine.
func (e *SearchProcess) Kill() {
	_ = e.command.Process.Kill() // it may have ended already
	_ = e.command.Wait()         // killed, as was asked
}

// runSearch is the engine's process, when this is one; it does not return then.
func runSearch() {
	folder := os.Getenv(envSearchFolder)
	if folder == "" {
		return
	}
	err := search.Run(context.Background(), search.Config{Address: os.Getenv(envSearchAddress), DataDir: folder, AdminKey: os.Getenv(envSearchKey)})
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
