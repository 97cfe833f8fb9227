package emulator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/kit/httpclient"
)

func newProber(timeout time.Duration) *http.Client {
	return httpclient.New(httpclient.Options{
		Timeout: timeout, DialTimeout: timeout, MaxHeaderBytes: maxHeaderBytes, DisableRedirects: true,
		// A fresh connection each time, because whether the origin accepts one is the question.
		DisableKeepAlives: true,
	})
}

// probeUntil asks the origin at once and then at each interval whether it is ready.
func (o *origin) probeUntil(ctx context.Context) {
	ticker := time.NewTicker(o.probeInterval)
	defer ticker.Stop()
	for {
		err := o.probe(ctx)
		if ctx.Err() != nil {
			return
		}
		o.setHealth(o.vigil.judge(o.health(), err == nil, o.now()), err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (o *origin) probe(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.address+"/ready", nil)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	response, err := o.prober.Do(request)
	o.silent.Store(err != nil)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	// The status is all that counts; the connection is not used again, so nothing needs reading.
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("probe: /ready answered %d", response.StatusCode)
	}
	return nil
}
