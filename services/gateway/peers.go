package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
	"github.com/meridian-store/meridian/kit/httpclient"
)

const (
	probeEvery = time.Second
	// probeSlack is what a busy gateway may take beside the way there and back.
	probeSlack = 250 * time.Millisecond
	// lostAfter is how long a region counts as reachable without an answer: three probes, because one lost packet is no lost region.
	lostAfter = 3*probeEvery + 500*time.Millisecond
	maxReady  = 4 << 10
)

// peers knows which regions answer over the links from here. Consul's word is not enough: its gossip may pass where requests do
// not. Requests read what a loop last learned.
type peers struct {
	// urls are where the links begin, by region.
	urls map[string]string
	// deadlines bound a probe, by region.
	deadlines map[string]time.Duration
	client    *http.Client
	now       func() time.Time
	log       *slog.Logger

	mu    sync.RWMutex
	known map[string]peer
}

// peer is what the probes of one region have found.
type peer struct {
	// answered is when it last said that it is ready, roundTrip what that took.
	answered  time.Time
	roundTrip time.Duration
	reachable bool
}

// newPeers watches the regions that have a link from own, urls by region. A region without one is judged by Consul alone.
func newPeers(own contract.Region, regions []contract.Region, urls map[string]string, now func() time.Time, log *slog.Logger) *peers {
	p := &peers{
		urls: urls, deadlines: map[string]time.Duration{}, now: now, log: log, known: map[string]peer{},
		// A connection of its own to each region, which is kept: so that a probe takes one round trip.
		client: httpclient.New(httpclient.Options{MaxIdleConnsPerHost: 1, IdleTimeout: 10 * probeEvery}),
	}
	for _, region := range regions {
		// A new connection needs a round trip of its own before the request's, and one may be lost.
		p.deadlines[region.Name] = probeSlack + 3*geo.RoundTrip(geo.DistanceKM(own.Point, region.Point))
	}
	return p
}

// watch probes every region until the context ends. A silent one delays no other.
func (p *peers) watch(ctx context.Context) error {
	defer p.client.CloseIdleConnections()
	var probing sync.WaitGroup
	defer probing.Wait()
	for region := range p.urls {
		probing.Go(func() { p.follow(ctx, region) })
	}
	<-ctx.Done()
	return nil
}

func (p *peers) follow(ctx context.Context, region string) {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		p.learn(ctx, region)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// learn probes a region once. A region that answers that it is not ready is believed at once; one that is silent, after a while.
func (p *peers) learn(ctx context.Context, region string) {
	probing, cancel := context.WithTimeout(ctx, p.deadlines[region])
	defer cancel()
	roundTrip, ready, err := p.probe(probing, p.urls[region])
	if ctx.Err() != nil {
		return
	}
	now := p.now()
	p.mu.Lock()
	before := p.known[region]
	after := before
	switch {
	case err == nil && ready:
		after = peer{answered: now, roundTrip: roundTrip, reachable: true}
	case err == nil || now.Sub(before.answered) >= lostAfter:
		after.reachable = false
	}
	p.known[region] = after
	p.mu.Unlock()
	if before.reachable != after.reachable {
		p.log.InfoContext(ctx, "The reach of a region changed.", "asked_region", region, "reachable", after.reachable, "probe_error", errorText(err))
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// probe asks a gateway over its link whether it is ready. The round trip is that of the request alone, without a new connection's.
func (p *peers) probe(ctx context.Context, url string) (roundTrip time.Duration, ready bool, err error) {
	var sent, first time.Time
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest:         func(httptrace.WroteRequestInfo) { sent = time.Now() },
		GotFirstResponseByte: func() { first = time.Now() },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ready", nil)
	if err != nil {
		return 0, false, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxReady)); err != nil {
		return 0, false, fmt.Errorf("read whether %s is ready: %w", url, err)
	}
	return first.Sub(sent), response.StatusCode == http.StatusOK, nil
}

// reachable says whether a region answers over the link to it, and how long that took; 0 when nothing is known. A region without a
// link is not ours to judge.
func (p *peers) reachable(region string) (bool, time.Duration) {
	if p == nil || p.urls[region] == "" {
		return true, 0
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	known := p.known[region]
	if !known.reachable || p.now().Sub(known.answered) >= lostAfter {
		return false, 0
	}
	return true, known.roundTrip
}
