package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"

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
	query := "?seconds=" + strconv.Itoa(seconds)
	access, err := launcher.ProfilesOf(w.shop.Home, w.region)
	if err != nil {
		pprof.StopCPUProfile()
		return nil, errors.Join(err, file.Close())
	}
	fetched := make(chan error, 2)
	go func() {
		fetched <- fetchProfile(ctx, access.Services+query, access.Header, filepath.Join(o.Profile, name+"-services.pprof"))
	}()
	go func() {
		fetched <- fetchProfile(ctx, access.Edge+query, nil, filepath.Join(o.Profile, name+"-edge.pprof"))
	}()
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(file.Close(), <-fetched, <-fetched)
	}, nil
}

func fetchProfile(ctx context.Context, url string, header http.Header, to string) error {
	ctx, cancel := context.WithTimeout(ctx, (mostSeconds+10)*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header = header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for a profile: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: profiles of a running shop need it to be started with MERIDIAN_PPROF=1", request.URL.Path, response.StatusCode)
	}
	file, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("make a profile: %w", err)
	}
	_, err = io.Copy(file, response.Body)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}
