package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"

	"github.com/meridian-store/meridian/local/launcher"
)

// mostSeconds is the longest profile that a service gives: its answers may not take much longer.
const mostSeconds = 25

// startProfiles writes CPU profiles of a path's turns, when asked to: of this program, of the region's services (one process,
// unless the shop was started with --split, and then the gateway's) and of the edge. stop waits for them.
func (w *world) startProfiles(ctx context.Context, o measureOptions, name string) (stop func() error, err error) {
	if o.Profile == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(filepath.Join(o.Profile, name+"-bench.pprof"))
	if err != nil {
		return nil, fmt.Errorf("make a profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("make a profile: %w", err), file.Close())
	}
	seconds := min(mostSeconds, max(1, int(o.Length.Seconds()*float64(2*o.Rounds))))
	profiler, err := launcher.ProfilerOf(w.shop.Home, w.region)
	if err != nil {
		pprof.StopCPUProfile()
		return nil, errors.Join(err, file.Close())
	}
	fetched := make(chan error, 2)
	fetch := func(profile func(context.Context, int) ([]byte, error), of string) {
		content, err := profile(ctx, seconds)
		if err == nil {
			err = os.WriteFile(filepath.Join(o.Profile, name+"-"+of+".pprof"), content, 0o600)
		}
		fetched <- err
	}
	go fetch(profiler.Services, "services")
	go fetch(profiler.Edge, "edge")
	return func() error {
		pprof.StopCPUProfile()
		defer profiler.Close()
		return errors.Join(file.Close(), <-fetched, <-fetched)
	}, nil
}
